import { ClientProxy, type ReadPacket, type WritePacket } from '@nestjs/microservices';
import { ConsumerRefusedError } from '../consumers/consumer.errors.js';
import type { EmitOptions, Events } from '../consumers/events.js';
import { CarillonRecord } from './carillon.record.js';
import { parseEventPattern } from './event-pattern.js';

export interface CarillonClientOptions extends Pick<EmitOptions, 'driver'> {
  /** Topic of events whose pattern has none. */
  readonly topic: string;
}

/**
 * Emits events with Nest's own client: `client.emit('name', payload)`, or `client.emit({ topic, event }, payload)`.
 * The stream completes when the broker holds the event, and fails otherwise. A {@link CarillonRecord} adds a key,
 * headers or an idempotency key. `send` is refused, because a topic returns no replies.
 */
export class CarillonClient extends ClientProxy {
  constructor(
    private readonly events: Events,
    private readonly options: CarillonClientOptions,
  ) {
    super();
  }

  /** Does nothing: the bus connects by itself. */
  override async connect(): Promise<void> {}

  /** Does nothing: the bus is closed by its module. */
  override close(): void {}

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- Nest's signature
  override unwrap<T>(): T {
    return this.events as T;
  }

  protected override publish(packet: ReadPacket, callback: (packet: WritePacket) => void): () => void {
    const pattern = JSON.stringify(packet.pattern);
    callback({
      err: new ConsumerRefusedError(
        `send(${pattern}) is not supported, because a bus returns no replies: use emit`,
      ),
    });
    return () => {};
  }

  protected override async dispatchEvent<T>({ pattern, data }: ReadPacket): Promise<T> {
    const { topic, driver } = this.options;
    const address = parseEventPattern(pattern, topic);
    const { payload, event, options } = data instanceof CarillonRecord ? data : new CarillonRecord(data);
    return (await this.events.emit(
      address.topic,
      { ...event, event: address.event, payload },
      { ...options, ...(driver === undefined ? {} : { driver }) },
    )) as T;
  }
}
