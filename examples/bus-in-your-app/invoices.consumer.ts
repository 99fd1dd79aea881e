import { Injectable } from '@nestjs/common';
import { type EventContext, ModuleConsumer } from 'carillon/bus';

export interface Invoice {
  readonly id: string;
  readonly customer: string;
  readonly total: number;
}

@Injectable()
@ModuleConsumer({ module: 'billing', consumer: 'invoices', topics: ['orders'], events: ['order-placed'] })
export class Invoices {
  readonly #invoices = new Map<string, Invoice>();

  handle(_consumer: string, _event: string, payload: unknown, { id }: EventContext): void {
    // The event's id is the key, so an event that is delivered twice is stored once.
    this.#invoices.set(id, { id, ...(payload as Omit<Invoice, 'id'>) });
  }

  list(): readonly Invoice[] {
    return [...this.#invoices.values()];
  }
}
