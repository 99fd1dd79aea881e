import { FanoutClosedError, UnrecoverablePositionError } from '../../delivery.errors.js';
import type { Fanout } from '../../fanout.port.js';
import type { History, HistoryPage, HistoryQuery, PublishConditions } from '../../history/history.port.js';
import type { Publication, StreamPosition } from '../../publications/publication.js';
import { IdempotencyCache } from './idempotency-cache.js';
import { Deadlines } from './deadlines.js';
import { MemoryStream } from './memory-stream.js';

export interface MemoryHistoryOptions {
  /** Approximate bytes of all publications together. Above it the least recently used channels are removed. */
  readonly maxBytes: number;
  /** Number of channels. Above it the least recently used ones are removed. */
  readonly maxChannels: number;
  /** Maximum number of idempotency keys. */
  readonly maxKeys: number;
  /** A monotonic clock in ms. Default: `performance.now()`. */
  readonly now?: () => number;
}

/** Histories in the memory of a single process. A restart loses all of them. */
export class MemoryHistory implements History {
  /** The least recently used one first. */
  readonly #streams = new Map<string, MemoryStream>();
  readonly #results: IdempotencyCache;
  readonly #deadlines: Deadlines;
  readonly #now: () => number;
  #bytes = 0;
  #closed = false;

  constructor(
    private readonly fanout: Fanout,
    private readonly options: MemoryHistoryOptions,
  ) {
    this.#now = options.now ?? (() => performance.now());
    this.#results = new IdempotencyCache(options.maxKeys);
    this.#deadlines = new Deadlines(this.#now, (channel, now) => this.#onDeadline(channel, now));
  }

  /** What is stored at the moment. */
  get usage() {
    const { size: channels } = this.#streams;
    const { size: keys } = this.#results;
    return { channels, bytes: this.#bytes, keys, deadlines: this.#deadlines.size };
  }

  /** The subscribers have the publication when this returns. */
  publish(publication: Publication, conditions: PublishConditions): Promise<StreamPosition | undefined> {
    if (this.#closed) return Promise.reject(new FanoutClosedError());
    const now = this.#now();
    const { idempotency } = conditions;
    if (idempotency === undefined) return this.#publish(publication, conditions, now).sent;
    const key = `${publication.channel}\0${idempotency.key}`;
    this.#results.sweep(now);
    const result = this.#results.find(key, now);
    if (result !== undefined) return Promise.resolve(result.position);
    const { position, sent } = this.#publish(publication, conditions, now);
    this.#results.add(key, position, now + idempotency.ttlMs);
    return sent;
  }

  read(channel: string, query: HistoryQuery): Promise<HistoryPage> {
    if (this.#closed) return Promise.reject(new FanoutClosedError());
    const stream = this.#use(channel, query.metaTtlMs, this.#now());
    this.#makeRoom(channel, stream);
    const { since } = query;
    if (since !== undefined && since.epoch !== '' && since.epoch !== stream.epoch)
      return Promise.reject(new UnrecoverablePositionError());
    return Promise.resolve({ publications: stream.read(query), ...stream.position });
  }

  remove(channel: string): Promise<void> {
    if (this.#closed) return Promise.reject(new FanoutClosedError());
    const stream = this.#streams.get(channel);
    if (stream !== undefined) this.#changing(stream, () => stream.clear());
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#deadlines.close();
    this.#streams.clear();
    return Promise.resolve();
  }

  #publish(publication: Publication, { history, version }: PublishConditions, now: number) {
    if (history === undefined)
      return { position: undefined, sent: this.fanout.publish(publication).then(() => undefined) };
    const { channel, delta } = publication;
    const stream = this.#use(channel, history.metaTtlMs, now);
    if (version !== undefined && stream.isOutdated(version))
      return { position: stream.position, sent: Promise.resolve(stream.position) };
    const previous = delta ? stream.newest?.data : undefined;
    const position = this.#changing(stream, () => stream.append(publication, history, version, now));
    this.#makeRoom(channel, stream);
    this.#addDeadline(channel, stream);
    const sent = this.fanout.publish(publication.at(position, previous)).then(() => position);
    return { position, sent };
  }

  /** Returns the stream of a channel, a new one if necessary, and marks it as the most recently used one. */
  #use(channel: string, metaTtlMs: number, now: number): MemoryStream {
    let stream = this.#streams.get(channel);
    if (stream?.isExpired(now)) this.#remove(channel, stream);
    if (stream === undefined || stream.isExpired(now)) stream = new MemoryStream();
    else this.#streams.delete(channel);
    this.#streams.set(channel, stream);
    this.#changing(stream, (used) => used.dropExpired(now));
    stream.use(now, metaTtlMs);
    this.#addDeadline(channel, stream);
    return stream;
  }

  #addDeadline(channel: string, stream: MemoryStream): void {
    const { deadline } = stream;
    if (deadline >= stream.checkAt) return;
    this.#deadlines.delete(channel, stream.checkAt);
    stream.checkAt = deadline;
    this.#deadlines.add(channel, deadline);
  }

  #onDeadline(channel: string, now: number): number | undefined {
    const stream = this.#streams.get(channel);
    if (stream === undefined) return undefined;
    if (stream.isExpired(now)) {
      this.#remove(channel, stream);
      return undefined;
    }
    this.#changing(stream, () => stream.dropExpired(now));
    return (stream.checkAt = stream.deadline);
  }

  #makeRoom(current: string, stream: MemoryStream): void {
    const { maxBytes, maxChannels } = this.options;
    for (const [channel, oldest] of this.#streams) {
      if (this.#bytes <= maxBytes && this.#streams.size <= maxChannels) return;
      if (channel !== current) this.#remove(channel, oldest);
    }
    while (this.#bytes > maxBytes && stream.length > 1) this.#changing(stream, () => stream.dropOldest());
  }

  #remove(channel: string, stream: MemoryStream): void {
    this.#streams.delete(channel);
    this.#deadlines.delete(channel, stream.checkAt);
    this.#bytes -= stream.bytes;
  }

  /** Changes a stream and updates the number of bytes. */
  #changing<T>(stream: MemoryStream, change: (stream: MemoryStream) => T): T {
    const before = stream.bytes;
    const result = change(stream);
    this.#bytes += stream.bytes - before;
    return result;
  }
}
