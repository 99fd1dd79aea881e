import { Body, Controller, Get, Headers, HttpCode, Post } from '@nestjs/common';
import { Events } from 'carillon/bus';
import { type Invoice, Invoices } from './invoices.consumer.js';

interface Order {
  readonly customer: string;
  readonly total: number;
}

@Controller()
export class OrdersController {
  constructor(
    private readonly events: Events,
    private readonly invoices: Invoices,
  ) {}

  /** 202 means that the broker holds the event. Repeated requests with the same idempotency key place one order. */
  @Post('orders')
  @HttpCode(202)
  async place(
    @Body() order: Order,
    @Headers('idempotency-key') idempotencyKey?: string,
  ): Promise<{ id: string | undefined }> {
    const event = { event: 'order-placed', payload: order, key: order.customer };
    const options = idempotencyKey === undefined ? {} : { idempotencyKey };
    const { ids } = await this.events.emit('orders', event, options);
    return { id: ids[0] };
  }

  @Get('invoices')
  list(): readonly Invoice[] {
    return this.invoices.list();
  }
}
