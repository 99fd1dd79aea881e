import { type DynamicModule, Module } from '@nestjs/common';
import { BusModule, type BusOptionsInput } from 'carillon/bus';
import { Invoices } from './invoices.consumer.js';
import { OrdersController } from './orders.controller.js';

/** An application that uses Carillon's event bus without the server. */
@Module({})
export class AppModule {
  static forRoot(bus: BusOptionsInput): DynamicModule {
    return {
      module: AppModule,
      // Prometheus scrapes the application at /metrics.
      imports: [BusModule.forRoot({ ...bus, metrics: { path: '/metrics' } })],
      controllers: [OrdersController],
      providers: [Invoices],
    };
  }
}
