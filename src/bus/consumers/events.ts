import { createHash } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { BusDriver } from '../bus.options.js';
import type { Buses } from '../buses.js';
import type { Idempotency } from '../idempotency.port.js';
import { KeyedQueue } from '../../async/index.js';
import { newMessageId, type OutgoingRecord } from '../../message/index.js';
import { EmitKeyReusedError } from './consumer.errors.js';
import { type OutgoingEvent, toEventRecord } from './event-record.js';

export interface EmitOptions {
  /** What carries the topic. Default: the default driver. */
  readonly driver?: BusDriver;
  /** The same key again within the window emits nothing more and gives the same answer. It belongs to the topic. */
  readonly idempotencyKey?: string;
  /** How long the key is known, in ms. Default: `idempotency.windowMs`. */
  readonly idempotencyWindowMs?: number;
}

export interface Emitted {
  /** One for each event, in their order. */
  readonly ids: readonly string[];
  /** They were emitted before, under this key. */
  readonly replayed: boolean;
}

/** What an idempotency key stands for. The ids are decided before anything is sent, so that a retry sends the same. */
interface Plan {
  readonly state: 'planned' | 'sent';
  readonly fingerprint: string;
  readonly ids: readonly string[];
}

/**
 * Puts events on topics.
 *
 * `emit` resolves when the broker holds all of the events, and rejects otherwise; some may be held then all the same. With an
 * idempotency key a retry carries the same ids, and sends nothing once an earlier one is known to have succeeded.
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
   * @throws {BrokerUnavailableError} the broker, or the store of the keys, does not answer
   * @throws {RecordRefusedError} an event cannot be sent as it is
   * @throws {EmitKeyReusedError} the key was used for other events
   */
  async emit(
    topic: string,
    events: OutgoingEvent | readonly OutgoingEvent[],
    options: EmitOptions = {},
  ): Promise<Emitted> {
    const list: readonly OutgoingEvent[] = Array.isArray(events) ? events : [events as OutgoingEvent];
    const { idempotencyKey, driver = this.buses.defaultDriver } = options;
    if (idempotencyKey === undefined) {
      const ids = list.map(newMessageId);
      await this.#publish(driver, topic, recordsOf(list, ids));
      return { ids, replayed: false };
    }
    const key = `emit:${driver}:${topic}:${idempotencyKey}`;
    return this.#queue.run(key, () =>
      this.#emitOnce(key, driver, topic, list, options.idempotencyWindowMs ?? this.windowMs),
    );
  }

  async #emitOnce(
    key: string,
    driver: BusDriver,
    topic: string,
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
    await this.#publish(driver, topic, recordsOf(events, inForce.ids));
    const sent: Plan = { ...inForce, state: 'sent' };
    try {
      await this.idempotency.replace(key, JSON.stringify(inForce), JSON.stringify(sent), windowMs);
    } catch (error) {
      // They are sent, and that is what was asked for. A retry would send them again, under the same ids.
      this.#logger.warn(
        `it could not be noted that ${ids.length} event(s) on ${topic} are sent: ${String(error)}`,
      );
    }
    return { ids: inForce.ids, replayed: false };
  }

  async #publish(driver: BusDriver, topic: string, records: readonly OutgoingRecord[]): Promise<void> {
    const publisher = await this.buses.forProducers(driver);
    await publisher.publish(topic, records);
  }
}

function recordsOf(events: readonly OutgoingEvent[], ids: readonly string[]): OutgoingRecord[] {
  return events.map((event, at) => toEventRecord(event, ids[at] ?? newMessageId()));
}

/** Two lists with one fingerprint are the same events. */
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
