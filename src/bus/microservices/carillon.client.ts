import { ClientProxy, type ReadPacket, type WritePacket } from '@nestjs/microservices';
import { ConsumerRefusedError } from '../consumers/consumer.errors.js';
import type { EmitOptions, Events } from '../consumers/events.js';
import { CarillonRecord } from './carillon.record.js';
import { placeOf } from './event-pattern.js';

export interface CarillonClientOptions extends Pick<EmitOptions, 'driver'> {
  /** Where events go whose pattern names no topic. */
  readonly topic: string;
}

/**
 * Nest's own way to emit: `client.emit('name', payload)`, or `client.emit({ topic, event }, payload)`. The stream completes
 * when the broker holds the event, and fails otherwise. A {@link CarillonRecord} brings a key, headers or an idempotency key
 * along. `send` is refused: a topic gives no answers.
 */
export class CarillonClient extends ClientProxy {
  constructor(
    private readonly events: Events,
    private readonly options: CarillonClientOptions,
  ) {
    super();
  }

  /** The bus connects by itself. */
  override async connect(): Promise<void> {}

  /** The bus is closed by its module. */
  override close(): void {}

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- Nest's signature
  override unwrap<T>(): T {
    return this.events as T;
  }

  protected override publish(packet: ReadPacket, callback: (packet: WritePacket) => void): () => void {
    const pattern = JSON.stringify(packet.pattern);
    callback({ err: new ConsumerRefusedError(`send(${pattern}) cannot be had over a bus: use emit`) });
    return () => {};
  }

  protected override async dispatchEvent<T>({ pattern, data }: ReadPacket): Promise<T> {
    const { topic, driver } = this.options;
    const place = placeOf(pattern, topic);
    const { payload, event, options } = data instanceof CarillonRecord ? data : new CarillonRecord(data);
    return (await this.events.emit(
      place.topic,
      { ...event, event: place.event, payload },
      { ...options, ...(driver === undefined ? {} : { driver }) },
    )) as T;
  }
}
