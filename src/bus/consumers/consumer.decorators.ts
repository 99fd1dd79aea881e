import { DiscoveryService } from '@nestjs/core';
import type { ConsumerDescription } from './consumer.js';

export interface ModuleConsumerOptions extends ConsumerDescription {
  /** `true`: the handler takes `(consumer, events, context)`, else `(consumer, event, payload, context)`. */
  readonly batch?: boolean;
}

export interface ModuleHandlerOptions {
  readonly module: string;
  readonly batch?: boolean;
}

/**
 * Makes a consumer of a class with a `handle` method, or of a method, in any provider or controller. It is found at start-up.
 *
 * ```ts
 * @ModuleConsumer({ module: 'task', consumer: 'daily', topics: ['live'], events: ['anchor-income'] })
 * export class DailyTask {
 *   async handle(consumer: string, event: string, payload: unknown, context: EventContext) { … }
 * }
 * ```
 */
export const ModuleConsumer = DiscoveryService.createDecorator<ModuleConsumerOptions>();

/** Makes a class with a `handle` method, or a method, the handler of a module's consumers that are produced at run time. */
export const ModuleHandler = DiscoveryService.createDecorator<ModuleHandlerOptions>();
