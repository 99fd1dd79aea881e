import { DiscoveryService } from '@nestjs/core';
import type { ConsumerDescription } from './consumer.js';

export interface ModuleConsumerOptions extends ConsumerDescription {
  /** If true, the handler takes `(consumer, events, context)`, otherwise `(consumer, event, payload, context)`. */
  readonly batch?: boolean;
}

export interface ModuleHandlerOptions {
  readonly module: string;
  readonly batch?: boolean;
}

/**
 * Declares a consumer. Decorates a method of any provider or controller, or a class with a `handle` method. Found at start-up.
 *
 * ```ts
 * @ModuleConsumer({ module: 'task', consumer: 'daily', topics: ['live'], events: ['anchor-income'] })
 * export class DailyTask {
 *   async handle(consumer: string, event: string, payload: unknown, context: EventContext) { … }
 * }
 * ```
 */
export const ModuleConsumer = DiscoveryService.createDecorator<ModuleConsumerOptions>();

/** Declares the handler of a module's consumers that a `ConsumerSource` provides. Decorates a method, or a class with a `handle` method. */
export const ModuleHandler = DiscoveryService.createDecorator<ModuleHandlerOptions>();
