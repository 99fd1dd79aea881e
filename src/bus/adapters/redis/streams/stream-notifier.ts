import { setTimeout as delay } from 'node:timers/promises';
import { inBackground, reportFailure } from '../../../../async/index.js';
import { closeRedis, type RedisClient } from '../../../../redis/index.js';

/** Lets one reader wait until a stream has new entries. */
export interface StreamWatch {
  /**
   * The last known id of the stream, which may be behind the real one. Note it before reading; if there was nothing
   * to read, wait until the stream has grown beyond it.
   */
  readonly position: string;
  /** Resolves when the stream is known to have an entry after `position`, or when the watch is closed. */
  grownBeyond(position: string): Promise<void>;
  /** Reports that the stream has an entry with this id. */
  report(id: string): void;
  close(): void;
}

type XreadReply = readonly (readonly [
  stream: string,
  entries: readonly (readonly [id: string, ...unknown[]])[],
])[];

interface WatchedStream {
  position: string;
  readonly watches: Set<{ wake: (() => void) | undefined }>;
}

export interface StreamNotifierOptions {
  /** Opens the connection that blocks. */
  readonly open: () => Promise<RedisClient>;
  /** Ends the blocking call of the connection with this id, so that it can watch other streams. Absent in a Cluster. */
  readonly unblock?: (connection: number) => Promise<unknown>;
  /** Longest time that one call blocks, in ms. */
  readonly blockMs: number;
}

/**
 * After a quiet time the first record is reported at once. Those that follow within this time are reported together.
 */
const COALESCE_MS = 2;
const FAILURE_PAUSE_MS = 200;

/**
 * Reports when streams grow. One connection blocks in XREAD for all streams and all groups of the process. XREAD
 * takes nothing from any group, so that no lease is needed, and a superfluous report does no harm.
 */
export class StreamNotifier {
  readonly #streams = new Map<string, WatchedStream>();
  #running = false;
  /** Id of the connection that blocks. */
  #connection: number | undefined;

  constructor(private readonly options: StreamNotifierOptions) {}

  watch(name: string): StreamWatch {
    const stream = this.#streams.get(name) ?? { position: '0-0', watches: new Set() };
    const watch: { wake: (() => void) | undefined } = { wake: undefined };
    stream.watches.add(watch);
    if (!this.#streams.has(name)) this.#add(name, stream);
    return {
      get position() {
        return stream.position;
      },
      grownBeyond: async (position) => {
        if (stream.position !== position || !stream.watches.has(watch)) return;
        await new Promise<void>((resolve) => (watch.wake = resolve));
      },
      report: (id) => this.#advance(stream, id),
      close: () => {
        stream.watches.delete(watch);
        watch.wake?.();
        if (stream.watches.size > 0 || this.#streams.get(name) !== stream) return;
        this.#streams.delete(name);
        this.#unblock();
      },
    };
  }

  #add(name: string, stream: WatchedStream): void {
    this.#streams.set(name, stream);
    if (this.#running) {
      this.#unblock();
    } else {
      this.#running = true;
      inBackground('watch over new records', () => this.#run());
    }
  }

  #unblock(): void {
    if (this.#connection === undefined) return;
    // If this fails, the call ends by itself a little later.
    this.options.unblock?.(this.#connection).catch(() => {});
  }

  async #run(): Promise<void> {
    const client = await this.#open();
    while (this.#streams.size > 0) {
      const reply = await this.#read(client);
      if (reply === null) continue;
      for (const [name, [entry]] of reply) {
        const stream = this.#streams.get(name);
        if (stream !== undefined && entry !== undefined) this.#advance(stream, entry[0]);
      }
      await delay(COALESCE_MS);
    }
    this.#running = false;
    this.#connection = undefined;
    await closeRedis(client);
  }

  /** Repeats until it succeeds: without a connection, the readers would wait for ever. */
  async #open(): Promise<RedisClient> {
    for (;;) {
      try {
        return await this.options.open();
      } catch (error) {
        reportFailure('connection that watches for new records', error);
        await delay(FAILURE_PAUSE_MS);
      }
    }
  }

  async #read(client: RedisClient): Promise<XreadReply | null> {
    const { unblock, blockMs } = this.options;
    try {
      if (unblock !== undefined) this.#connection ??= Number(await client.call('CLIENT', 'ID'));
      const positions = [...this.#streams.values()].map(({ position }) => position);
      const streams = [...this.#streams.keys(), ...positions];
      return await client.xread('COUNT', 1, 'BLOCK', blockMs, 'STREAMS', ...streams);
    } catch {
      // The next connection has another id.
      this.#connection = undefined;
      // Until this works again, the readers look for themselves. They log and report what fails.
      for (const stream of this.#streams.values()) wakeAll(stream);
      await delay(FAILURE_PAUSE_MS);
      return null;
    }
  }

  #advance(stream: WatchedStream, id: string): void {
    if (!isAfter(id, stream.position)) return;
    stream.position = id;
    wakeAll(stream);
  }
}

function wakeAll({ watches }: WatchedStream): void {
  for (const watch of watches) {
    watch.wake?.();
    watch.wake = undefined;
  }
}

/** An id is a time in ms, and a sequence number within that ms. */
function isAfter(id: string, other: string): boolean {
  const [ms = 0, number = 0] = id.split('-').map(Number);
  const [otherMs = 0, otherNumber = 0] = other.split('-').map(Number);
  return ms === otherMs ? number > otherNumber : ms > otherMs;
}
