import type { BusDriver } from './bus.options.js';
import { BusClosedError } from './bus.errors.js';
import type { Bus } from './bus.port.js';
import type { ConsumerPools, ProducerPools } from './producers/pool.options.js';
import type { PoolTuning } from './producers/pool-tuning.js';
import { asOwnCode } from './consumers/user-code.js';
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

/** The part of a bus that publishes. */
export type Publisher = Pick<Bus, 'publish' | 'close'>;

/** The buses of the process. There is one for each driver, opened on first use, and separate ones for the configured pools. */
export class Buses {
  readonly #opened = new Map<string, Promise<Publisher>>();
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

  /** Returns the bus for the consumers of a module. */
  forConsumers(driver: BusDriver, module: string): Promise<Bus> {
    const tuning = driver === 'memory' ? undefined : this.options.modules[module]?.pools[driver];
    if (tuning === undefined) return this.shared(driver);
    const name = `module ${module}`;
    return this.#once(`${driver} ${name}`, () => this.open(driver, { name, tuning }));
  }

  /** Returns the bus, or the pool of buses, to publish with. */
  forProducers(driver: BusDriver = this.defaultDriver): Promise<Publisher> {
    const pool = driver === 'memory' ? undefined : this.options.producers[driver];
    if (pool === undefined) return this.shared(driver);
    return this.#once(`${driver} producers`, async () =>
      ProducerPool.open(pool, (number) => this.open(driver, { name: `producer ${number}`, tuning: pool })),
    );
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    const opened = await Promise.allSettled(this.#opened.values());
    await Promise.all(opened.map(async (each) => each.status === 'fulfilled' && each.value.close()));
  }

  #once<Kind extends Publisher>(name: string, open: () => Promise<Kind>): Promise<Kind> {
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
