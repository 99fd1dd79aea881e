import { Body, Controller, Get, Headers, HttpCode, Param, Post, Put, UseGuards } from '@nestjs/common';
import { Carillon, type HistoryPage, type Member } from 'carillon';
import { CustomerGuard, Customers } from './customers.js';
import { channelOf, type Order, Orders } from './orders.js';

@Controller('orders')
export class OrdersController {
  constructor(
    private readonly orders: Orders,
    private readonly customers: Customers,
    private readonly carillon: Carillon,
  ) {}

  @Post()
  @UseGuards(CustomerGuard)
  place(@Headers('cookie') cookie: string, @Body() { item }: { item: string }): Promise<Order> {
    return this.orders.place(this.customers.of(cookie) ?? '', item);
  }

  // A real shop lets only its staff use these.
  @Put(':id/status')
  setStatus(@Param('id') id: string, @Body() { status }: { status: string }): Promise<Order> {
    return this.orders.setStatus(id, status);
  }

  @Get('of/:customer/watching')
  watching(@Param('customer') customer: string): Promise<Member[]> {
    return this.carillon.presence(channelOf(customer));
  }

  @Get('of/:customer/changes')
  changes(@Param('customer') customer: string): Promise<HistoryPage> {
    return this.carillon.history(channelOf(customer));
  }

  @Post('of/:customer/sign-out')
  @HttpCode(204)
  async signOut(@Param('customer') customer: string): Promise<void> {
    await this.carillon.disconnect(customer, { code: 4500, reason: 'signed out' });
  }
}
