import type { BusDriver } from './bus.options.js';
import { AdapterUnusableError, BusClosedError } from './bus.errors.js';
import type { Bus } from './bus.port.js';
import { type ConsumerPools, DEFAULT_POOL, type ProducerPools } from './producers/pool.options.js';
import type { PoolTuning } from './producers/pool-tuning.js';
import { asOwnCode } from './consumers/user-code.js';
import { ConnectionPool, type PooledConnection } from './producers/connection-pool.js';
import { ProducerPool } from './producers/producer-pool.js';

/** Opens a connection to the broker of a driver. */
export type OpenBus = (driver: BusDriver, use: BusUse) => Promise<Bus>;

export interface BusUse {
  /** The name of the user, for logs and readiness: `bus`, `module task`, `producer 2`. */
  readonly name: string;
  readonly tuning?: PoolTuning;
  /** Topics that will be published to, so that the adapter connects to their brokers at once. */
  readonly topics?: readonly string[];
}

export interface BusesOptions {
  readonly defaultDriver: BusDriver;
  readonly producers: ProducerPools;
  readonly modules: Readonly<Record<string, { readonly pools: ConsumerPools }>>;
}

/** The bus of a consumer, which it gives back when it does not need it any more. */
export interface LentBus {
  readonly bus: Bus;
  giveBack(): void;
}

/** The part of a bus that publishes. */
export type Publisher = Pick<Bus, 'publish' | 'close'>;

/** The buses of the process. There is one for each driver, opened on first use, and separate ones for the configured pools. */
export class Buses {
  readonly #opened = new Map<string, Promise<Closable>>();
  #closed: Promise<void> | undefined;

  constructor(
    private readonly options: BusesOptions,
    private readonly open: OpenBus,
  ) {}

  get defaultDriver(): BusDriver {
    return this.options.defaultDriver;
  }

  /** Returns the bus of a driver that everything without a pool shares. */
  shared(driver: BusDriver = this.defaultDriver, topics: readonly string[] = []): Promise<Bus> {
    return this.#once(driver, () => this.open(driver, { name: 'bus', topics }));
  }

  /** Opens the smallest number of connections of each pool of producers. An unreachable broker is no failure. */
  async openProducers(): Promise<void> {
    const drivers = Object.keys(this.options.producers) as (keyof ProducerPools)[];
    const wanted = drivers.filter((driver) => (this.options.producers[driver]?.minConnections ?? 0) > 0);
    await Promise.all(wanted.map((driver) => this.forProducers(driver)));
  }

  /** Resolves to a bus for a consumer of a module. */
  async forConsumer(driver: BusDriver, module: string): Promise<LentBus> {
    const pool = driver === 'memory' ? undefined : this.#ofModule(module)?.[driver];
    if (pool === undefined) return { bus: await this.shared(driver), giveBack() {} };
    const opened = await this.#once(`${driver} module ${module}`, () =>
      ConnectionPool.open(pool, (number) => {
        const name = number === 1 ? `module ${module}` : `module ${module}, ${number}`;
        return this.open(driver, { name, tuning: pool });
      }),
    );
    return lend(await opened.assign());
  }

  /**
   * Returns the bus, or the pool of buses, to publish with.
   *
   * @param redis the name of the Redis; by default that of the pool of producers
   */
  forProducers(driver: BusDriver = this.defaultDriver, redis?: string): Promise<Publisher> {
    const pool = driver === 'memory' ? undefined : this.options.producers[driver];
    if (driver !== 'redis' && redis !== undefined)
      return Promise.reject(new AdapterUnusableError(`only redis has named pools (${redis}), not ${driver}`));
    if (redis !== undefined && redis !== this.#redisOfProducers) {
      if (redis === DEFAULT_POOL) return this.shared(driver);
      const use = { name: `producers of ${redis}`, tuning: { ...tuningOf(pool), pool: redis } };
      return this.#once(`${driver} ${use.name}`, () => this.open(driver, use));
    }
    if (pool === undefined) return this.shared(driver);
    return this.#once(`${driver} producers`, async () =>
      ProducerPool.open(pool, (number) =>
        this.open(driver, { name: `producer ${number}`, tuning: tuningOf(pool) }),
      ),
    );
  }

  /** Returns what publishes to the broker that the consumers of a module read. */
  forModule(driver: BusDriver, module: string): Promise<Publisher> {
    return this.forProducers(driver, driver === 'redis' ? this.#ofModule(module)?.redis?.pool : undefined);
  }

  get #redisOfProducers(): string {
    return this.options.producers.redis?.pool ?? DEFAULT_POOL;
  }

  #ofModule(module: string): ConsumerPools | undefined {
    const { modules } = this.options;
    return Object.hasOwn(modules, module) ? modules[module]?.pools : undefined;
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    const opened = await Promise.allSettled(this.#opened.values());
    await Promise.all(opened.map(async (each) => each.status === 'fulfilled' && each.value.close()));
  }

  #once<Kind extends Closable>(name: string, open: () => Promise<Kind>): Promise<Kind> {
    if (this.#closed !== undefined) return Promise.reject(new BusClosedError());
    const known = this.#opened.get(name) as Promise<Kind> | undefined;
    if (known !== undefined) return known;
    // What a connection does later is not the doing of the handler that used it first.
    const opening = asOwnCode(open);
    this.#opened.set(name, opening);
    // After a failure, the next call tries to open it again.
    opening.catch(() => this.#opened.delete(name));
    return opening;
  }
}

interface Closable {
  close(): Promise<void>;
}

/** A producer is no member of a group: its heartbeat checks its connection. */
function tuningOf(pool: PoolTuning | undefined): PoolTuning {
  return { ...pool, heartbeatMs: undefined, checkIntervalMs: pool?.heartbeatMs };
}

function lend(connection: PooledConnection): LentBus {
  connection.active++;
  const giveBack = (): void => {
    connection.active--;
    connection.assigned--;
    connection.usedAt = performance.now();
  };
  return { bus: connection.bus, giveBack };
}
