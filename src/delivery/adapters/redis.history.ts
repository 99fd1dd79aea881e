import type { Redis } from 'ioredis';
import { routeOf } from '../address.js';
import { UnrecoverablePositionError } from '../delivery.errors.js';
import type { RedisFanoutOptions } from '../delivery.options.js';
import { newEpoch } from '../epoch.js';
import type { History, HistoryEntry, HistoryPage, HistoryQuery, PublishTerms } from '../history.port.js';
import { decodePublication } from '../publication-envelope.js';
import type { Publication, StreamPosition } from '../publication.js';
import { encode } from './redis.fanout.js';
import { publish, read } from './redis.history-scripts.js';
import type { RedisPublisher } from './redis.publisher.js';
import { channelName, noteAdded, type Partition } from './redis.recent.js';

/** What a submission takes in memory beside its envelope. */
const TERMS_BYTES = 200;

type Entry = [id: Buffer, fields: [name: Buffer, envelope: Buffer]];

/**
 * Histories in Redis streams, one for each channel, whose ids are the offsets; a hash beside each has epoch and offset, and
 * outlives it. One script checks the terms, appends, and publishes. It goes over the connection of the fan-out, so that what is kept
 * and what is not stay in order.
 */
export class RedisHistory implements History {
  constructor(
    private readonly publisher: RedisPublisher,
    private readonly options: Pick<RedisFanoutOptions, 'sharded'>,
  ) {}

  async publish(publication: Publication, terms: PublishTerms): Promise<StreamPosition | undefined> {
    const envelope = encode(publication);
    const answer = await this.publisher.submit({
      route: routeOf(publication.channel),
      bytes: envelope.length + TERMS_BYTES,
      // Without a key a copy would be kept a second time.
      isRepeatable: publication.id !== undefined && terms.idempotency !== undefined,
      send: (connection, partition) => this.#send(publication, envelope, terms, connection, partition),
    });
    return toPosition(answer);
  }

  async read(channel: string, query: HistoryQuery): Promise<HistoryPage> {
    const { since, limit, reverse = false, metaTtlMs } = query;
    const { meta, stream, generation } = keysOf(this.#partitionOf(channel), channel);
    const range = reverse
      ? ['reverse', since === undefined ? '+' : String(since.offset - 1), '-']
      : ['forward', since === undefined ? '-' : String(since.offset + 1), '+'];
    // An offset of 0 has nothing before it.
    const count = reverse && since !== undefined && since.offset <= 1 ? 0 : limit;
    const args = [newEpoch(), metaTtlMs, since?.epoch ?? '', ...range, count];
    const answer = await this.publisher.call((client) => read.run(client, [meta, stream, generation], args));
    const [epochBytes, offset, entries] = answer as [Buffer, Buffer, Entry[]];
    const epoch = epochBytes.toString();
    if (since !== undefined && since.epoch !== '' && since.epoch !== epoch)
      throw new UnrecoverablePositionError();
    return { publications: entries.flatMap(toHistoryEntry), offset: Number(offset), epoch };
  }

  async remove(channel: string): Promise<void> {
    const { stream } = keysOf(this.#partitionOf(channel), channel);
    await this.publisher.call((client) => client.del(stream));
  }

  /** The connection belongs to the fan-out. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  async #send(
    { channel, delta, id }: Publication,
    envelope: Buffer,
    { history, idempotency, version }: PublishTerms,
    connection: Redis,
    partition: Partition,
  ): Promise<string> {
    const { meta, stream, generation } = keysOf(partition, channel);
    const answered = answerKey(partition, channel, idempotency?.key ?? '');
    const answer = await publish.run(
      connection,
      [meta, stream, generation, partition.key, answered],
      [
        channelName(partition, routeOf(channel)),
        this.options.sharded ? 'SPUBLISH' : 'PUBLISH',
        envelope,
        newEpoch(),
        history?.size ?? 0,
        Math.ceil(history?.ttlMs ?? 0),
        Math.ceil(history?.metaTtlMs ?? 0),
        version?.number ?? 0,
        version?.epoch ?? '',
        delta ? 1 : 0,
        Math.ceil(idempotency?.ttlMs ?? 0),
        id === undefined ? 0 : this.publisher.recent.maxPerStream,
      ],
    );
    const [position, recentId] = answer as [Buffer, Buffer | undefined];
    if (recentId !== undefined) noteAdded(partition, recentId.toString());
    return position.toString();
  }

  #partitionOf(channel: string): Partition {
    return this.publisher.recent.partitionOf(routeOf(channel));
  }
}

function keysOf({ tag }: Partition, channel: string) {
  return {
    meta: `${tag}:meta:${channel}`,
    stream: `${tag}:history:${channel}`,
    generation: `${tag}:generation`,
  };
}

/** The length keeps a channel and its key apart, whatever they are made of. */
function answerKey({ tag }: Partition, channel: string, key: string): string {
  return `${tag}:answer:${channel.length}:${channel}:${key}`;
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
