import { Injectable } from '@nestjs/common';
import { InjectMetric } from '@willsoto/nestjs-prometheus';
import type { Gauge } from 'prom-client';
import { BrokerLog } from './broker-log.js';
import { BrokerStatus, type BrokerState } from './broker-status.js';
import { BROKER_UP } from './metrics.instruments.js';

export type Phase = 'starting' | 'serving' | 'stopping';

export interface ReadinessReport {
  readonly ready: boolean;
  readonly phase: Phase;
  readonly brokers: Readonly<Record<string, { readonly state: BrokerState; readonly reason?: string }>>;
}

/**
 * Knows whether this process accepts new clients and requests: it has started, is not stopping, and every broker that it needs is
 * up. Modules register their brokers here. A probe only reads the states that adapters have reported, so it is never slow.
 */
@Injectable()
export class Readiness {
  readonly #log = new BrokerLog();
  readonly #brokers = new Map<string, BrokerStatus>();
  readonly #watchers = new Set<(status: BrokerStatus) => void>();
  #phase: Phase = 'starting';

  constructor(@InjectMetric(BROKER_UP) private readonly brokerUp: Gauge<'broker'>) {}

  /** Registers a broker. Returns the status that its adapter reports to. */
  broker(name: string): BrokerStatus {
    const status = new BrokerStatus(
      name,
      (changed) => this.#onChange(changed),
      (closed) => this.#forget(closed),
    );
    this.#brokers.set(name, status);
    this.brokerUp.set({ broker: name }, 0);
    return status;
  }

  /** Calls `watcher` with every broker now, and with a broker whenever its state changes. Returns a function that stops this. */
  watch(watcher: (status: BrokerStatus) => void): () => void {
    for (const status of this.#brokers.values()) watcher(status);
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  serving(): void {
    this.#phase = 'serving';
  }

  /** From now on the process reports that it is not ready, so that load balancers send it no more clients. This is final. */
  stopping(): void {
    this.#phase = 'stopping';
  }

  get phase(): Phase {
    return this.#phase;
  }

  report(): ReadinessReport {
    const brokers = Object.fromEntries(
      [...this.#brokers.values()].map(({ name, state, reason }) => [
        name,
        reason === undefined ? { state } : { state, reason },
      ]),
    );
    const ready =
      this.#phase === 'serving' && [...this.#brokers.values()].every(({ state }) => state === 'up');
    return { ready, phase: this.#phase, brokers };
  }

  /** On shutdown, the last state of each broker remains visible. */
  #forget(status: BrokerStatus): void {
    if (this.#phase === 'stopping' || this.#brokers.get(status.name) !== status) return;
    this.#brokers.delete(status.name);
    this.brokerUp.remove({ broker: status.name });
  }

  #onChange(status: BrokerStatus): void {
    const { name, state } = status;
    for (const watcher of this.#watchers) watcher(status);
    this.brokerUp.set({ broker: name }, state === 'up' ? 1 : 0);
    if (this.#phase === 'stopping') return;
    this.#log.add(status);
  }
}
