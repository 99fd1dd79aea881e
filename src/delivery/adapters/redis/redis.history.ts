import { routeOf } from '../../channels/address.js';
import { UnrecoverablePositionError } from '../../delivery.errors.js';
import { newEpoch } from '../../history/epoch.js';
import type {
  History,
  HistoryEntry,
  HistoryPage,
  HistoryQuery,
  PublishConditions,
} from '../../history/history.port.js';
import { decodePublication } from '../../publications/publication-envelope.js';
import type { Publication, StreamPosition } from '../../publications/publication.js';
import { encode } from './redis.fanout.js';
import { read } from './history-script.js';
import { resultKey, generationKey, historyKey, metaKey } from './keys.js';
import type { RedisPublisher } from './publisher.js';
import { channelName, type Partition } from './replay-streams.js';

type Entry = [id: Buffer, fields: [name: Buffer, envelope: Buffer]];

/**
 * Histories in Redis streams, one for each channel, whose ids are the offsets; a hash beside each has epoch and offset, and
 * outlives it. One script checks the terms, appends, and publishes. It goes over the connection of the fan-out, so that what is kept
 * and what is not stay in order.
 */
export class RedisHistory implements History {
  constructor(private readonly publisher: RedisPublisher) {}

  async publish(publication: Publication, terms: PublishConditions): Promise<StreamPosition | undefined> {
    const { channel, id, delta } = publication;
    const { idempotency } = terms;
    const route = routeOf(channel);
    const partition = this.publisher.recent.partitionOf(route);
    const answered = idempotency && {
      key: resultKey(partition, channel, idempotency.key),
      ttlMs: idempotency.ttlMs,
    };
    const place = await this.publisher.submit({
      partition,
      channel: channelName(partition, route),
      envelope: encode(publication),
      isRepeatable: id !== undefined,
      keeping: {
        channel,
        terms,
        delta,
        ...(answered !== undefined ? { answered } : {}),
      },
    });
    return toPosition(place);
  }

  async read(channel: string, query: HistoryQuery): Promise<HistoryPage> {
    const { since, limit, reverse = false, metaTtlMs } = query;
    const partition = this.#partitionOf(channel);
    const range = reverse
      ? ['reverse', since === undefined ? '+' : String(since.offset - 1), '-']
      : ['forward', since === undefined ? '-' : String(since.offset + 1), '+'];
    // An offset of 0 has nothing before it.
    const count = reverse && since !== undefined && since.offset <= 1 ? 0 : limit;
    const args = [newEpoch(), metaTtlMs, since?.epoch ?? '', ...range, count];
    const keys = [metaKey(partition, channel), historyKey(partition, channel), generationKey(partition)];
    const answer = await this.publisher.call((client) => read.run(client, keys, args));
    const [epochBytes, offset, entries] = answer as [Buffer, Buffer, Entry[]];
    const epoch = epochBytes.toString();
    if (since !== undefined && since.epoch !== '' && since.epoch !== epoch)
      throw new UnrecoverablePositionError();
    return { publications: entries.flatMap(toHistoryEntry), offset: Number(offset), epoch };
  }

  async remove(channel: string): Promise<void> {
    const key = historyKey(this.#partitionOf(channel), channel);
    await this.publisher.call((client) => client.del(key));
  }

  /** The connection belongs to the fan-out. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  #partitionOf(channel: string): Partition {
    return this.publisher.recent.partitionOf(routeOf(channel));
  }
}

function toPosition(answer: string): StreamPosition | undefined {
  const [offset, epoch] = answer.split(':');
  return epoch === undefined ? undefined : { offset: Number(offset), epoch };
}

function toHistoryEntry([id, [, envelope]]: Entry): HistoryEntry[] {
  const publication = decodePublication(envelope);
  if (publication === undefined) return []; // of a later version of this program
  const { data, format, id: messageId, tags, info, createdAt } = publication;
  return [{ offset: Number.parseInt(id.toString(), 10), data, format, id: messageId, tags, info, createdAt }];
}
