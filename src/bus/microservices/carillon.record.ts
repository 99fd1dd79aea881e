import type { OutgoingEvent } from '../consumers/event-record.js';
import type { EmitOptions } from '../consumers/events.js';

/**
 * A payload together with options of the event, for `ClientProxy.emit`, which takes one argument:
 * `client.emit('anchor-income', new CarillonRecord(payload, { key: 'mei' }, { idempotencyKey: 'import-17' }))`.
 */
export class CarillonRecord {
  constructor(
    readonly payload: unknown,
    readonly event: Pick<OutgoingEvent, 'key' | 'headers'> = {},
    readonly options: Omit<EmitOptions, 'driver'> = {},
  ) {}
}
