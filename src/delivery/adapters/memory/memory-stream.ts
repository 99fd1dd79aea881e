import { newEpoch } from '../../history/epoch.js';
import { bytesOfEntry } from '../../history/history.port.js';
import type {
  HistoryEntry,
  HistoryOptions,
  HistoryQuery,
  PublishConditions,
} from '../../history/history.port.js';
import type { Publication, StreamPosition } from '../../publications/publication.js';

/** Approximate memory of an entry beside its data. */
const ENTRY_BYTES = 240;

/** The history of one channel. Times are by the clock of {@link MemoryHistory}, in ms. */
export class MemoryStream {
  readonly epoch = newEpoch();
  /** A queue. Those before `#head` are dropped. */
  #entries: HistoryEntry[] = [];
  #head = 0;
  #top = 0;
  #bytes = 0;
  #version = 0;
  #versionEpoch = '';
  #entriesExpireAt = 0;
  #expiresAt = 0;
  /** Its pending deadline, if it has one. */
  checkAt = Infinity;

  get position(): StreamPosition {
    return { offset: this.#top, epoch: this.epoch };
  }

  /** Approximate memory of the entries. */
  get bytes(): number {
    return this.#bytes;
  }

  get length(): number {
    return this.#entries.length - this.#head;
  }

  get newest(): HistoryEntry | undefined {
    return this.#entries.at(-1);
  }

  /** When the stream or its entries expire. */
  get deadline(): number {
    return this.length > 0 ? Math.min(this.#entriesExpireAt, this.#expiresAt) : this.#expiresAt;
  }

  use(now: number, metaTtlMs: number): void {
    this.#expiresAt = Math.max(this.#expiresAt, now + metaTtlMs);
  }

  isExpired(now: number): boolean {
    return this.#expiresAt <= now;
  }

  dropExpired(now: number): void {
    if (this.#entriesExpireAt <= now) this.clear();
  }

  isOutdated({ number, epoch }: NonNullable<PublishConditions['version']>): boolean {
    return number <= this.#version && (epoch === '' || epoch === this.#versionEpoch);
  }

  /** Gives the publication the next offset. */
  append(
    publication: Publication,
    { size, ttlMs }: HistoryOptions,
    version: PublishConditions['version'],
    now: number,
  ): StreamPosition {
    const { data, format, id, tags, info, createdAt } = publication;
    const entry = { offset: ++this.#top, data: compact(data), format, id, tags, info, createdAt };
    this.#entries.push(entry);
    this.#bytes += ENTRY_BYTES + bytesOfEntry(entry);
    while (this.length > size) this.dropOldest();
    this.#entriesExpireAt = now + ttlMs;
    if (version !== undefined) {
      this.#version = version.number;
      this.#versionEpoch = version.epoch;
    }
    return this.position;
  }

  read({ maxBytes = Infinity, ...query }: HistoryQuery): HistoryEntry[] {
    const entries = this.#range(query);
    let bytes = 0;
    const excess = entries.findIndex((entry, at) => (bytes += bytesOfEntry(entry)) > maxBytes && at > 0);
    return excess < 0 ? entries : entries.slice(0, excess);
  }

  #range({ since, limit, reverse = false }: Omit<HistoryQuery, 'maxBytes'>): HistoryEntry[] {
    const entries = this.#entries.slice(this.#head);
    const oldest = this.#top - entries.length + 1;
    const count = limit < 0 ? entries.length : limit;
    if (!reverse) {
      const start = since === undefined ? 0 : Math.max(0, since.offset + 1 - oldest);
      return entries.slice(start, start + count);
    }
    if (since !== undefined && since.offset > this.#top + 1) return [];
    const end = since === undefined ? entries.length : Math.max(0, since.offset - oldest);
    return entries.slice(Math.max(0, end - count), end).toReversed();
  }

  clear(): void {
    this.#entries = [];
    this.#head = 0;
    this.#bytes = 0;
  }

  dropOldest(): void {
    this.#bytes -= ENTRY_BYTES + bytesOfEntry(this.#entries[this.#head++]!);
    // Moving the rest costs what was added since the last move, so that an addition is cheap on average.
    if (this.#head > 32 && this.#head > this.#entries.length / 2) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
  }
}

/** Copies data that are a small part of a large buffer, such as a batch, which would stay in memory as a whole. */
function compact(data: Buffer): Buffer {
  if (data.buffer.byteLength <= 4 * data.length + 1_024) return data;
  const copy = Buffer.allocUnsafeSlow(data.length);
  copy.set(data);
  return copy;
}
