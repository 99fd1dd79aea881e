import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

/** Knows the customer of a cookie. A real shop looks into its sessions. */
@Injectable()
export class Customers {
  /** Returns undefined for a visitor. */
  of(cookie: string | undefined): string | undefined {
    return /(?:^|; )customer=(\w{1,32})/.exec(cookie ?? '')?.[1];
  }
}

/** Lets only customers use a route. */
@Injectable()
export class CustomerGuard implements CanActivate {
  constructor(private readonly customers: Customers) {}

  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<FastifyRequest>();
    return this.customers.of(headers.cookie) !== undefined;
  }
}
