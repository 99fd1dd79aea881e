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
import { read } from './history-script.js';
import { generationKey, historyKey, metaKey, resultKey } from './keys.js';
import { channelName, type Partition } from './partition.js';
import type { RedisPublisher } from './publisher.js';
import { encode } from './redis.fanout.js';

type Entry = [id: Buffer, fields: [name: Buffer, envelope: Buffer]];

/**
 * Histories in Redis streams, one for each channel, with the offsets as ids. A hash for each has the epoch and the
 * offset, and outlives the stream. One script checks the conditions, appends, and publishes. It uses the connection of
 * the fan-out, so that stored and other publications stay in order.
 */
export class RedisHistory implements History {
  constructor(private readonly publisher: RedisPublisher) {}

  async publish(
    publication: Publication,
    conditions: PublishConditions,
  ): Promise<StreamPosition | undefined> {
    const { channel, id, delta } = publication;
    const { idempotency } = conditions;
    const route = routeOf(channel);
    const partition = this.publisher.replayStreams.partitionOf(route);
    const result = idempotency && {
      key: resultKey(partition, channel, idempotency.key),
      ttlMs: idempotency.ttlMs,
    };
    const position = await this.publisher.publish({
      partition,
      channel: channelName(partition, route),
      envelope: encode(publication),
      isRepeatable: id !== undefined,
      store: { channel, conditions, delta, ...(result !== undefined ? { result } : {}) },
    });
    return toPosition(position);
  }

  async read(channel: string, query: HistoryQuery): Promise<HistoryPage> {
    const { since, limit, reverse = false, maxBytes = Number.MAX_SAFE_INTEGER, metaTtlMs } = query;
    const partition = this.#partitionOf(channel);
    const range = reverse
      ? ['reverse', since === undefined ? '+' : String(since.offset - 1), '-']
      : ['forward', since === undefined ? '-' : String(since.offset + 1), '+'];
    // There is nothing before offset 1.
    const count = reverse && since !== undefined && since.offset <= 1 ? 0 : limit;
    const args = [newEpoch(), metaTtlMs, since?.epoch ?? '', ...range, count, maxBytes];
    const keys = [metaKey(partition, channel), historyKey(partition, channel), generationKey(partition)];
    const reply = await this.publisher.call((client) => read.run(client, keys, args));
    const [epochBytes, offset, entries] = reply as [Buffer, Buffer, Entry[]];
    const epoch = epochBytes.toString();
    if (since !== undefined && since.epoch !== '' && since.epoch !== epoch)
      throw new UnrecoverablePositionError();
    return { publications: entries.flatMap(toHistoryEntry), offset: Number(offset), epoch };
  }

  async remove(channel: string): Promise<void> {
    const key = historyKey(this.#partitionOf(channel), channel);
    await this.publisher.call((client) => client.del(key));
  }

  /** Does nothing: the connection belongs to the fan-out. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  #partitionOf(channel: string): Partition {
    return this.publisher.replayStreams.partitionOf(routeOf(channel));
  }
}

function toPosition(text: string): StreamPosition | undefined {
  const [offset, epoch] = text.split(':');
  return epoch === undefined ? undefined : { offset: Number(offset), epoch };
}

function toHistoryEntry([id, [, envelope]]: Entry): HistoryEntry[] {
  const publication = decodePublication(envelope);
  if (publication === undefined) return []; // written by a later version of this program
  const { data, format, id: messageId, tags, info, createdAt } = publication;
  return [{ offset: Number.parseInt(id.toString(), 10), data, format, id: messageId, tags, info, createdAt }];
}
