import { Logger } from '@nestjs/common';
import { backoffMs, every, inBackground, jittered } from '../../async/index.js';
import { AdapterUnusableError } from '../../errors.js';
import { LeaseEndedError } from '../delivery.errors.js';
import type { RegisteredConnection, Registry, RegistryQuery } from './registry.port.js';

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;
/** Longer than an answer of the store may be on its way. */
const FORGET_AFTER_MS = 10_000;
const SWEEP = 'cleanup of connections that ended';

/** `given_up`: the cleanup failed for too long and is not tried again. */
export type CleanupResult = 'done' | 'failed' | 'given_up';

export interface RegistrationsOptions {
  /** The id of this node. */
  readonly node: string;
  /** After this time without a sign of life, others clean up what this node has registered, in ms. */
  readonly leaseMs: number;
  /** How many cleanups may run at the same time. */
  readonly concurrency: number;
  /** For how long a cleanup that fails is tried again, in ms. */
  readonly giveUpAfterMs: number;
  readonly onCleanup?: (result: CleanupResult, wasOrphan: boolean) => void;
  readonly sweepEveryMs?: number;
}

export interface RegistrationsHandler {
  /** Does what has to be done when the connection has ended, on whichever node it was. It is called again after it rejects. */
  cleanUp(connection: RegisteredConnection): Promise<void>;
  /** Others may have taken over the connections of this node, and clean up after them: they must not be used any more. */
  onLost(): void;
}

interface Failure {
  readonly firstAt: number;
  readonly attempts: number;
  readonly retryAt: number;
}

/**
 * The registered connections of this node, and the cleanups of those that ended: its own, and those of nodes that died. A cleanup
 * is claimed in the registry first, so that one node does it. It stays there until it has succeeded, so that another node repeats
 * it if this one dies.
 */
export class Registrations {
  readonly #logger = new Logger(Registrations.name);
  readonly #running = new Map<string, Promise<void>>();
  /** Connections of this node that have ended, and that nobody has claimed yet. The next sweep tries again. */
  readonly #ended = new Map<string, RegisteredConnection>();
  /** The cleanups of this node that failed. */
  readonly #failures = new Map<string, Failure>();
  #handler: RegistrationsHandler | undefined;
  #timers: readonly NodeJS.Timeout[] = [];
  #renewing: Promise<void> | undefined;
  #sweeping: Promise<void> | undefined;
  /** The connections that were cleaned up, with the time at which they left the registry. */
  readonly #done = new Map<string, number | 'registered'>();
  #hadLease = false;
  /** There may be claimed connections that no cleanup is running for. */
  #hasUnfinished = false;
  #isClosed = false;

  constructor(
    private readonly registry: Registry,
    private readonly options: RegistrationsOptions,
  ) {}

  /** Takes a lease and starts to clean up. Until it is called, this costs nothing. */
  async start(handler: RegistrationsHandler): Promise<void> {
    this.#handler = handler;
    const { leaseMs, sweepEveryMs = 1_000 } = this.options;
    this.#timers = [
      every('lease of the registered connections', leaseMs / 4, () => this.#renew()),
      every(SWEEP, sweepEveryMs, () => this.#sweep()),
    ];
    await this.#renew().catch((error: unknown) => {
      if (error instanceof AdapterUnusableError) throw error;
      // The timer tries again.
    });
  }

  /** @throws BrokerUnavailableError, LeaseEndedError */
  async add(connection: Omit<RegisteredConnection, 'node'>): Promise<void> {
    const registered = { ...connection, node: this.options.node };
    await this.#leased(() => this.registry.add(registered));
  }

  /** A registered connection was refused after all: there is nothing to clean up. */
  remove(id: string): Promise<void> {
    return this.registry.remove(id);
  }

  /**
   * A connection of this node has ended: cleans up, unless another node does. Does not wait for the cleanup. While the store is
   * unavailable, the cleanup waits for it.
   */
  end(connection: Omit<RegisteredConnection, 'node'>): void {
    const ended = { ...connection, node: this.options.node };
    this.#ended.set(ended.id, ended);
    inBackground('end of a registered connection', () => this.#claim(ended));
  }

  find(id: string): Promise<RegisteredConnection | undefined> {
    return this.registry.find(id);
  }

  list(query: RegistryQuery): Promise<readonly RegisteredConnection[]> {
    return this.registry.list(query);
  }

  count(route?: string): Promise<number> {
    return this.registry.count(route);
  }

  /** Waits for the cleanups that are running, and leaves the others to the next node. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const timer of this.#timers) clearInterval(timer);
    if (this.#handler === undefined) return;
    await Promise.all(this.#running.values());
    await this.registry.release(this.options.node).catch(() => {}); // the lease ends by itself
  }

  /** Takes the cleanups of nodes that died, and of this node where one was not begun or has to be repeated. */
  #sweep(): Promise<void> {
    return (this.#sweeping ??= this.#sweepOnce().finally(() => (this.#sweeping = undefined)));
  }

  async #sweepOnce(): Promise<void> {
    const forgottenUntil = performance.now() - FORGET_AFTER_MS;
    for (const [id, at] of this.#done)
      if (typeof at === 'number' && at < forgottenUntil) this.#done.delete(id);
    for (const ended of this.#ended.values()) await this.#claim(ended);
    if (this.#free > 0) await this.#takeOrphans();
    if (this.#free > 0 && this.#hasUnfinished) await this.#takeUnfinished();
  }

  async #takeOrphans(): Promise<void> {
    const [hadUnfinished, wanted] = [this.#hasUnfinished, this.#free];
    // If the answer is lost, the connections are claimed all the same.
    this.#hasUnfinished = true;
    const { node } = this.options;
    const orphans = await this.#leased(() => this.registry.claimOrphans(node, wanted));
    // There may be more of them.
    this.#hasUnfinished = hadUnfinished || orphans.length === wanted;
    for (const orphan of orphans) this.#begin(orphan, true);
  }

  async #takeUnfinished(): Promise<void> {
    const { node, concurrency } = this.options;
    const found = await this.#leased(() => this.registry.unfinished(node, 2 * concurrency));
    this.#hasUnfinished = found.length === 2 * concurrency;
    for (const connection of found) this.#begin(connection, connection.node !== node);
  }

  async #claim(ended: RegisteredConnection): Promise<void> {
    const isOurs = await this.#leased(() => this.registry.claim(ended.id, this.options.node));
    this.#ended.delete(ended.id);
    if (isOurs) this.#begin(ended, false);
  }

  get #free(): number {
    return this.#isClosed ? 0 : this.options.concurrency - this.#running.size;
  }

  /** Begins a claimed cleanup. Without a free slot, it stays in the registry until there is one. */
  #begin(connection: RegisteredConnection, wasOrphan: boolean): void {
    const { id } = connection;
    // An answer of the store may be older than the cleanup.
    if (this.#running.has(id) || typeof this.#done.get(id) === 'number') return;
    const isDue = (this.#failures.get(id)?.retryAt ?? 0) <= performance.now();
    if (this.#free <= 0 || !isDue) {
      this.#hasUnfinished = true;
      return;
    }
    const running = this.#cleanUp(connection, wasOrphan).finally(() => {
      this.#running.delete(id);
      if (this.#hasUnfinished && this.#free > 0) inBackground(SWEEP, () => this.#sweep());
    });
    this.#running.set(id, running);
  }

  /** Never rejects. */
  async #cleanUp(connection: RegisteredConnection, wasOrphan: boolean): Promise<void> {
    const { id } = connection;
    if (!this.#done.has(id)) {
      const result = await this.#tryCleanUp(connection);
      this.options.onCleanup?.(result, wasOrphan);
      if (result === 'failed') return;
      this.#done.set(id, 'registered');
    }
    try {
      await this.registry.remove(id);
      this.#done.set(id, performance.now());
    } catch {
      // The store is unavailable, and reports it.
      this.#hasUnfinished = true;
    }
  }

  async #tryCleanUp(connection: RegisteredConnection): Promise<CleanupResult> {
    const { id, route } = connection;
    try {
      await this.#handler?.cleanUp(connection);
      this.#failures.delete(id);
      return 'done';
    } catch (error) {
      const { firstAt = performance.now(), attempts = 0 } = this.#failures.get(id) ?? {};
      if (performance.now() - firstAt >= this.options.giveUpAfterMs) {
        this.#failures.delete(id);
        this.#logger.error(
          `the cleanup of connection ${id} of ${route} has failed ${attempts + 1} times and is given up: ${String(error)}`,
        );
        return 'given_up';
      }
      const pauseMs = jittered(backoffMs(attempts + 1, FIRST_RETRY_MS, LONGEST_RETRY_MS), 0.2);
      this.#failures.set(id, { firstAt, attempts: attempts + 1, retryAt: performance.now() + pauseMs });
      this.#hasUnfinished = true;
      this.#logger.warn(
        `the cleanup of connection ${id} of ${route} failed and is repeated: ${String(error)}`,
      );
      return 'failed';
    }
  }

  /** Two renewals do not run at the same time, so that the answer to the older one is not taken for the newer one's. */
  #renew(): Promise<void> {
    return (this.#renewing ??= this.#renewOnce().finally(() => (this.#renewing = undefined)));
  }

  async #renewOnce(): Promise<void> {
    const { node, leaseMs } = this.options;
    const isExtended = await this.registry.renew(node, leaseMs);
    if (!isExtended && this.#hadLease) {
      this.#logger.warn(
        `this node was silent for more than ${leaseMs} ms: others clean up its registered connections, which are closed here`,
      );
      this.#failures.clear();
      this.#handler?.onLost();
    }
    this.#hadLease = true;
  }

  /** Renews a lease that has ended, and tries again. */
  async #leased<Result>(call: () => Promise<Result>): Promise<Result> {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof LeaseEndedError)) throw error;
      await this.#renew();
      return call();
    }
  }
}
