import { Injectable, NotFoundException } from '@nestjs/common';
import { Carillon } from 'carillon';

export interface Order {
  readonly id: string;
  readonly customer: string;
  readonly item: string;
  readonly status: string;
}

const RATE_AFTER_MS = 24 * 3_600_000;

/** The orders of the shop. Customers see each change at once. */
@Injectable()
export class Orders {
  readonly #orders = new Map<string, Order>();
  readonly #reminders = new Map<string, string>();

  constructor(private readonly carillon: Carillon) {}

  of(customer: string): Order[] {
    return [...this.#orders.values()].filter((order) => order.customer === customer);
  }

  async place(customer: string, item: string): Promise<Order> {
    const order = await this.#save({ id: String(this.#orders.size + 1), customer, item, status: 'placed' });
    const question = { rate: order.id };
    const options = { afterMs: RATE_AFTER_MS };
    this.#reminders.set(order.id, await this.carillon.schedule(channelOf(customer), question, options));
    return order;
  }

  async setStatus(id: string, status: string): Promise<Order> {
    const order = this.#orders.get(id);
    if (order === undefined) throw new NotFoundException(`there is no order ${id}`);
    if (status === 'cancelled') await this.#withdrawReminder(id);
    return this.#save({ ...order, status });
  }

  async #save(order: Order): Promise<Order> {
    this.#orders.set(order.id, order);
    await this.carillon.publish(channelOf(order.customer), order);
    return order;
  }

  async #withdrawReminder(id: string): Promise<void> {
    const reminder = this.#reminders.get(id);
    if (reminder !== undefined && this.#reminders.delete(id)) await this.carillon.cancel(reminder);
  }
}

export function channelOf(customer: string): string {
  return `orders:${customer}`;
}
