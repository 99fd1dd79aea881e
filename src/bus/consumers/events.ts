import { createHash, randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { BusDriver } from '../bus.options.js';
import { asOwnCode } from './user-code.js';
import type { Buses } from '../buses.js';
import type { Idempotency } from '../idempotency.port.js';
import { KeyedQueue } from '../../async/index.js';
import { newMessageId, type OutgoingRecord } from '../../message/index.js';
import { EmitKeyReusedError } from './consumer.errors.js';
import { type OutgoingEvent, toEventRecord } from './event-record.js';

export interface EmitOptions {
  /** The driver of the topic. Default: the default driver. */
  readonly driver?: BusDriver;
  /** The name of the Redis of the topic, in `redisPools`. Default: that of the pool of producers. Only for the driver `redis`. */
  readonly pool?: string;
  /** A second call with the same key and topic within the window emits nothing and returns the same result. */
  readonly idempotencyKey?: string;
  /** How long the key is remembered, in ms. Default: `idempotency.windowMs`. */
  readonly idempotencyWindowMs?: number;
}

export interface Emitted {
  /** The id of each event, in the order of the events. */
  readonly ids: readonly string[];
  /** The events were already emitted with this key. */
  readonly replayed: boolean;
}

interface Destination {
  readonly driver: BusDriver;
  readonly pool: string | undefined;
  readonly topic: string;
}

/** What is stored for an idempotency key. The ids are chosen before the events are sent, so that a retry sends the same ids. */
interface Plan {
  readonly state: 'planned' | 'sent';
  readonly fingerprint: string;
  readonly ids: readonly string[];
  /** Identifies the call that sent the events. */
  readonly sentBy?: string;
}

/**
 * Emits events to topics.
 *
 * `emit` resolves when the broker holds all of the events. If it rejects, the broker may still hold some of them. With an
 * idempotency key, a retry uses the same ids, and sends nothing if an earlier attempt is known to have succeeded.
 */
export class Events {
  readonly #logger = new Logger(Events.name);
  /** By idempotency key. */
  readonly #queue = new KeyedQueue();

  constructor(
    private readonly buses: Buses,
    private readonly idempotency: Idempotency,
    private readonly windowMs: number,
  ) {}

  /**
   * @throws {BrokerUnavailableError} the broker, or the store of idempotency keys, is unavailable
   * @throws {RecordRefusedError} an event cannot be sent as it is
   * @throws {EmitKeyReusedError} the idempotency key was used for other events
   */
  async emit(
    topic: string,
    events: OutgoingEvent | readonly OutgoingEvent[],
    options: EmitOptions = {},
  ): Promise<Emitted> {
    const list: readonly OutgoingEvent[] = Array.isArray(events) ? events : [events as OutgoingEvent];
    const { idempotencyKey, driver = this.buses.defaultDriver, pool } = options;
    if (idempotencyKey === undefined) {
      const ids = list.map(newMessageId);
      await this.#publish({ driver, pool, topic }, recordsOf(list, ids));
      return { ids, replayed: false };
    }
    const place = pool === undefined ? driver : `${driver}:${pool}`;
    const key = `emit:${place}:${topic}:${idempotencyKey}`;
    return this.#queue.run(key, () =>
      this.#emitOnce(key, { driver, pool, topic }, list, options.idempotencyWindowMs ?? this.windowMs),
    );
  }

  async #emitOnce(
    key: string,
    to: Destination,
    events: readonly OutgoingEvent[],
    windowMs: number,
  ): Promise<Emitted> {
    const ids = events.map(newMessageId);
    const planned: Plan = { state: 'planned', fingerprint: fingerprintOf(events), ids };
    const inForce = JSON.parse(
      await this.idempotency.reserve(key, JSON.stringify(planned), windowMs),
    ) as Plan;
    if (inForce.fingerprint !== planned.fingerprint)
      throw new EmitKeyReusedError('this idempotency key was used for other events');
    if (inForce.state === 'sent') return { ids: inForce.ids, replayed: true };
    await this.#publish(to, recordsOf(events, inForce.ids));
    // Two processes may send at the same moment. The first one that says so is the original.
    const sent: Plan = { ...inForce, state: 'sent', sentBy: randomUUID() };
    try {
      const stored = await this.idempotency.replace(
        key,
        JSON.stringify(inForce),
        JSON.stringify(sent),
        windowMs,
      );
      return { ids: inForce.ids, replayed: (JSON.parse(stored) as Plan).sentBy !== sent.sentBy };
    } catch (error) {
      // The events are sent, so this call has succeeded. A retry would send them again with the same ids.
      this.#logger.warn(
        `topic ${to.topic}: ${ids.length} event(s) were sent, but their idempotency key could not be updated: ${String(error)}`,
      );
    }
    return { ids: inForce.ids, replayed: false };
  }

  async #publish({ driver, pool, topic }: Destination, records: readonly OutgoingRecord[]): Promise<void> {
    const publisher = await this.buses.forProducers(driver, pool);
    // What the publisher does later is not the doing of the handler that called it.
    await asOwnCode(() => publisher.publish(topic, records));
  }
}

function recordsOf(events: readonly OutgoingEvent[], ids: readonly string[]): OutgoingRecord[] {
  return events.map((event, at) => toEventRecord(event, ids[at] ?? newMessageId()));
}

/** Returns a hash of the events: equal events have equal hashes. */
function fingerprintOf(events: readonly OutgoingEvent[]): string {
  const records = recordsOf(
    events,
    events.map(() => ''),
  );
  const hash = createHash('sha256');
  for (const { event, key = null, headers = {} } of events)
    hash.update(
      JSON.stringify([event, key, Object.entries(headers).toSorted(([a], [b]) => (a < b ? -1 : 1))]),
    );
  for (const { value } of records) hash.update(`${value.length}:`).update(value);
  return hash.digest('base64url');
}
