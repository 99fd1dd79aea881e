import { RouteConfig } from '@nestjs/platform-fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Its response is expensive to make: the rate is limited per address. */
    readonly isCostly?: boolean;
    /** It is for operators: served on the internal port only, or with a key. */
    readonly isInternal?: boolean;
  }
}

/** Marks a route of a controller whose response is expensive to make: its rate is limited per address. */
export const Costly = () => RouteConfig({ isCostly: true });
