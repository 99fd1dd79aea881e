import { newEpoch } from '../../history/epoch.js';
import type {
  HistoryEntry,
  HistoryOptions,
  HistoryQuery,
  PublishConditions,
} from '../../history/history.port.js';
import type { Publication, StreamPosition } from '../../publications/publication.js';

/** What an entry takes beside its data, roughly. */
const ENTRY_BYTES = 300;

/** The history of one channel. Times are those of the clock that its history goes by, in ms. */
export class MemoryStream {
  readonly epoch = newEpoch();
  /** A queue: those before `#head` are dropped. */
  #entries: HistoryEntry[] = [];
  #head = 0;
  #top = 0;
  #bytes = 0;
  #version = 0;
  #versionEpoch = '';
  #entriesUntil = 0;
  #until = 0;
  /** When its deadlines are to be looked at, as far as that is noted. */
  checkAt = Infinity;

  get position(): StreamPosition {
    return { offset: this.#top, epoch: this.epoch };
  }

  /** Memory taken by the entries, roughly. */
  get bytes(): number {
    return this.#bytes;
  }

  get length(): number {
    return this.#entries.length - this.#head;
  }

  get newest(): HistoryEntry | undefined {
    return this.#entries.at(-1);
  }

  /** When it is to be forgotten, or its entries dropped. */
  get deadline(): number {
    return this.length > 0 ? Math.min(this.#entriesUntil, this.#until) : this.#until;
  }

  use(now: number, metaTtlMs: number): void {
    this.#until = Math.max(this.#until, now + metaTtlMs);
  }

  isForgotten(now: number): boolean {
    return this.#until <= now;
  }

  dropIfOver(now: number): void {
    if (this.#entriesUntil <= now) this.clear();
  }

  isOutdated({ number, epoch }: NonNullable<PublishConditions['version']>): boolean {
    return number <= this.#version && (epoch === '' || epoch === this.#versionEpoch);
  }

  /** Takes the next offset. */
  append(
    publication: Publication,
    { size, ttlMs }: HistoryOptions,
    version: PublishConditions['version'],
    now: number,
  ): StreamPosition {
    const { data, format, id, tags, info, createdAt } = publication;
    const entry = { offset: ++this.#top, data: compact(data), format, id, tags, info, createdAt };
    this.#entries.push(entry);
    this.#bytes += ENTRY_BYTES + data.length;
    while (this.length > size) this.dropOldest();
    this.#entriesUntil = now + ttlMs;
    if (version !== undefined) {
      this.#version = version.number;
      this.#versionEpoch = version.epoch;
    }
    return this.position;
  }

  read({ since, limit, reverse = false }: HistoryQuery): HistoryEntry[] {
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
    this.#bytes -= ENTRY_BYTES + this.#entries[this.#head++]!.data.length;
    // Moving the rest costs what was added since the last time, so that an addition stays cheap on average.
    if (this.#head > 32 && this.#head > this.#entries.length / 2) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
  }
}

/** A copy where the data are a small part of a large buffer, such as a batch, which would be kept as a whole. */
function compact(data: Buffer): Buffer {
  if (data.buffer.byteLength <= 4 * data.length + 1_024) return data;
  const copy = Buffer.allocUnsafeSlow(data.length);
  copy.set(data);
  return copy;
}
