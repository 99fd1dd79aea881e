import { Injectable } from '@nestjs/common';
import {
  abstained,
  Authorizer,
  type ConnectAttempt,
  type ConnectDecision,
  refused,
  type RpcAttempt,
  type RpcDecision,
  type SubscribeAttempt,
  type SubscribeDecision,
} from 'carillon';
import { Customers } from './customers.js';
import { channelOf, Orders } from './orders.js';

/** Decides about the sockets: a customer may follow their own orders, and ask for the list of them. */
@Injectable()
export class ShopAuthorizer extends Authorizer {
  constructor(
    private readonly customers: Customers,
    private readonly orders: Orders,
  ) {
    super();
  }

  override connect({ client }: ConnectAttempt): ConnectDecision {
    const user = this.customers.of(client.headers['cookie']);
    return user === undefined ? refused('permissionDenied') : { outcome: 'allowed', user };
  }

  override subscribe({ user, channel }: SubscribeAttempt): SubscribeDecision {
    return channel === channelOf(user) ? { outcome: 'allowed' } : refused('permissionDenied');
  }

  override rpc({ user, method }: RpcAttempt): RpcDecision {
    if (method !== 'orders') return abstained;
    return { outcome: 'allowed', data: Buffer.from(JSON.stringify(this.orders.of(user))) };
  }
}
