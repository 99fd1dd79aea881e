import { FanoutClosedError, UnrecoverablePositionError } from '../../delivery.errors.js';
import type { Fanout } from '../../fanout.port.js';
import type { History, HistoryPage, HistoryQuery, PublishConditions } from '../../history/history.port.js';
import type { Publication, StreamPosition } from '../../publications/publication.js';
import { IdempotencyCache } from './idempotency-cache.js';
import { Deadlines } from './deadlines.js';
import { MemoryStream } from './memory-stream.js';

export interface MemoryHistoryOptions {
  /** Bytes of all publications together, roughly. Beyond it the channels that were not used for longest are forgotten. */
  readonly maxBytes: number;
  /** The same for the number of channels. */
  readonly maxChannels: number;
  /** Idempotency keys remembered at most. */
  readonly maxKeys: number;
  /** Any clock in ms that does not jump, as that of `performance.now()`. */
  readonly now?: () => number;
}

/** Histories in the memory of a process that is alone. A restart forgets them all. */
export class MemoryHistory implements History {
  /** The least recently used first. */
  readonly #streams = new Map<string, MemoryStream>();
  readonly #answers: IdempotencyCache;
  readonly #deadlines: Deadlines;
  readonly #now: () => number;
  #bytes = 0;
  #closed = false;

  constructor(
    private readonly fanout: Fanout,
    private readonly options: MemoryHistoryOptions,
  ) {
    this.#now = options.now ?? (() => performance.now());
    this.#answers = new IdempotencyCache(options.maxKeys);
    this.#deadlines = new Deadlines(this.#now, (channel, now) => this.#look(channel, now));
  }

  /** What is in use at present. */
  get usage() {
    const { size: channels } = this.#streams;
    const { size: keys } = this.#answers;
    return { channels, bytes: this.#bytes, keys, deadlines: this.#deadlines.size };
  }

  /** The subscribers have the publication when this returns. */
  publish(publication: Publication, terms: PublishConditions): Promise<StreamPosition | undefined> {
    if (this.#closed) return Promise.reject(new FanoutClosedError());
    const now = this.#now();
    const { idempotency } = terms;
    if (idempotency === undefined) return this.#publish(publication, terms, now).sent;
    const key = `${publication.channel}\0${idempotency.key}`;
    this.#answers.sweep(now);
    const answer = this.#answers.find(key, now);
    if (answer !== undefined) return Promise.resolve(answer.position);
    const { position, sent } = this.#publish(publication, terms, now);
    this.#answers.add(key, position, now + idempotency.ttlMs);
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
    this.#noteDeadline(channel, stream);
    const sent = this.fanout.publish(publication.at(position, previous)).then(() => position);
    return { position, sent };
  }

  /** The stream of a channel, a new one if need be, as the one that was used last. */
  #use(channel: string, metaTtlMs: number, now: number): MemoryStream {
    let stream = this.#streams.get(channel);
    if (stream?.isForgotten(now)) this.#forget(channel, stream);
    if (stream === undefined || stream.isForgotten(now)) stream = new MemoryStream();
    else this.#streams.delete(channel);
    this.#streams.set(channel, stream);
    this.#changing(stream, (used) => used.dropIfOver(now));
    stream.use(now, metaTtlMs);
    this.#noteDeadline(channel, stream);
    return stream;
  }

  #noteDeadline(channel: string, stream: MemoryStream): void {
    const { deadline } = stream;
    if (deadline >= stream.checkAt) return;
    this.#deadlines.drop(channel, stream.checkAt);
    stream.checkAt = deadline;
    this.#deadlines.note(channel, deadline);
  }

  #look(channel: string, now: number): number | undefined {
    const stream = this.#streams.get(channel);
    if (stream === undefined) return undefined;
    if (stream.isForgotten(now)) {
      this.#forget(channel, stream);
      return undefined;
    }
    this.#changing(stream, () => stream.dropIfOver(now));
    return (stream.checkAt = stream.deadline);
  }

  #makeRoom(current: string, stream: MemoryStream): void {
    const { maxBytes, maxChannels } = this.options;
    for (const [channel, oldest] of this.#streams) {
      if (this.#bytes <= maxBytes && this.#streams.size <= maxChannels) return;
      if (channel !== current) this.#forget(channel, oldest);
    }
    while (this.#bytes > maxBytes && stream.length > 1) this.#changing(stream, () => stream.dropOldest());
  }

  #forget(channel: string, stream: MemoryStream): void {
    this.#streams.delete(channel);
    this.#deadlines.drop(channel, stream.checkAt);
    this.#bytes -= stream.bytes;
  }

  /** Keeps account of the bytes. */
  #changing<T>(stream: MemoryStream, change: (stream: MemoryStream) => T): T {
    const before = stream.bytes;
    const result = change(stream);
    this.#bytes += stream.bytes - before;
    return result;
  }
}
