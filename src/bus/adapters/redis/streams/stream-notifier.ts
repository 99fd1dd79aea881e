import { setTimeout as delay } from 'node:timers/promises';
import { closeRedis, type RedisClient } from '../../../../redis/index.js';

/** What somebody who waits for records of a stream holds. */
export interface Watch {
  /** Where the stream is known to reach, at least. Note it before reading; if there was nothing, wait for it to grow. */
  readonly position: string;
  /** Resolves when the stream is known to reach beyond `position`, or after `close`. */
  growth(position: string): Promise<void>;
  /** The stream reaches to this id. */
  report(id: string): void;
  close(): void;
}

type Answer = readonly (readonly [
  stream: string,
  entries: readonly (readonly [id: string, ...unknown[]])[],
])[];

interface Stream {
  position: string;
  readonly watches: Set<{ wake: (() => void) | undefined }>;
}

export interface ArrivalsOptions {
  /** Opens the connection that blocks. */
  readonly open: () => Promise<RedisClient>;
  /** Ends the wait of the blocked connection with this id, so that it can watch other streams. Absent in a Cluster. */
  readonly unblock?: (connection: number) => Promise<unknown>;
  /** Longest that one call blocks, in ms. */
  readonly blockMs: number;
}

/** The first record after a silence is told at once; those that come within this time of it are told together. */
const PAUSE_MS = 2;
const FAILURE_PAUSE_MS = 200;

/**
 * Tells when streams grow, through one connection that blocks in XREAD. It takes nothing from any group, so it needs no right to
 * a partition, may answer too often, and serves every group of the process.
 */
export class Arrivals {
  readonly #streams = new Map<string, Stream>();
  #running = false;
  /** Id of the connection that blocks. */
  #connection: number | undefined;

  constructor(private readonly options: ArrivalsOptions) {}

  watch(name: string): Watch {
    const stream = this.#streams.get(name) ?? { position: '0-0', watches: new Set() };
    const watch: { wake: (() => void) | undefined } = { wake: undefined };
    stream.watches.add(watch);
    if (!this.#streams.has(name)) this.#add(name, stream);
    return {
      get position() {
        return stream.position;
      },
      growth: async (position) => {
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

  #add(name: string, stream: Stream): void {
    this.#streams.set(name, stream);
    if (this.#running) {
      this.#unblock();
    } else {
      this.#running = true;
      void this.#run();
    }
  }

  #unblock(): void {
    if (this.#connection === undefined) return;
    // Where it fails, the call ends by itself a little later.
    this.options.unblock?.(this.#connection).catch(() => {});
  }

  async #run(): Promise<void> {
    const client = await this.options.open();
    while (this.#streams.size > 0) {
      const answer = await this.#ask(client);
      if (answer === null) continue;
      for (const [name, [entry]] of answer) {
        const stream = this.#streams.get(name);
        if (stream !== undefined && entry !== undefined) this.#advance(stream, entry[0]);
      }
      await delay(PAUSE_MS);
    }
    this.#running = false;
    this.#connection = undefined;
    await closeRedis(client);
  }

  async #ask(client: RedisClient): Promise<Answer | null> {
    const { unblock, blockMs } = this.options;
    try {
      if (unblock !== undefined) this.#connection ??= Number(await client.call('CLIENT', 'ID'));
      const positions = [...this.#streams.values()].map(({ position }) => position);
      const streams = [...this.#streams.keys(), ...positions];
      return await client.xread('COUNT', 1, 'BLOCK', blockMs, 'STREAMS', ...streams);
    } catch {
      // What is wrong with Redis, the readers find out and say. The next connection has another id.
      this.#connection = undefined;
      await delay(FAILURE_PAUSE_MS);
      return null;
    }
  }

  #advance(stream: Stream, id: string): void {
    if (!isAfter(id, stream.position)) return;
    stream.position = id;
    for (const watch of stream.watches) {
      watch.wake?.();
      watch.wake = undefined;
    }
  }
}

/** Ids are a time in ms and a number within it. */
function isAfter(id: string, other: string): boolean {
  const [ms = 0, number = 0] = id.split('-').map(Number);
  const [otherMs = 0, otherNumber = 0] = other.split('-').map(Number);
  return ms === otherMs ? number > otherNumber : ms > otherMs;
}
