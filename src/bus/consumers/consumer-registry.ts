import { Logger } from '@nestjs/common';
import { isDeepStrictEqual } from 'node:util';
import { KeyedQueue } from '../../async/index.js';
import {
  type Consumer,
  type ConsumerConfiguration,
  type ConsumerDescription,
  type ConsumerHandler,
  consumerOf,
  groupOf,
} from './consumer.js';
import { ConsumerRefusedError } from './consumer.errors.js';
import type { ConsumerState } from './consumer-state.js';
import { type ConsumerDependencies, RunningConsumer } from './running-consumer.js';

export interface ConsumerReport {
  readonly consumer: Consumer;
  readonly state: ConsumerState;
  /** Unix time in ms of the last change of the state. */
  readonly since: number;
  /** Why it waits to restart. */
  readonly reason?: string;
  /** How often it could not be started, lost its broker, or was restarted because its code failed. */
  readonly failures: number;
}

/**
 * The consumers of this process. A consumer may be added, changed or removed while the others run. Changes to one group are made
 * one after the other, and a changed consumer finishes the records in progress before it is restarted.
 */
export class ConsumerRegistry {
  readonly #logger = new Logger('Consumers');
  readonly #running = new Map<string, RunningConsumer>();
  readonly #handlers = new Map<string, ConsumerHandler>();
  /** By consumer group. */
  readonly #changes = new KeyedQueue();
  #closed: Promise<void> | undefined;

  constructor(
    private readonly configuration: ConsumerConfiguration,
    private readonly dependencies: ConsumerDependencies,
  ) {}

  /** @throws {ConsumerRefusedError} the module has a handler already */
  setHandler(module: string, handler: ConsumerHandler): void {
    if (this.#handlers.has(module))
      throw new ConsumerRefusedError(`module ${module} has two handlers: a module can have only one`);
    this.#handlers.set(module, handler);
  }

  /**
   * Adds a consumer. Resolves when it takes records, or when its first attempt to start failed; in that case it keeps trying.
   *
   * @param handler the handler of its module by default
   * @throws {ConsumerRefusedError} a consumer with this name exists, or the description is invalid
   */
  async add(description: ConsumerDescription, handler?: ConsumerHandler): Promise<void> {
    const consumer = this.#complete(description, handler);
    await this.#change(consumer.group, async () => {
      if (this.#running.has(consumer.group))
        throw new ConsumerRefusedError(`consumer ${consumer.group} exists already`);
      await this.#start(consumer);
    });
  }

  /** Like {@link add}, but replaces the consumer with this name, unless it is equal. */
  async put(description: ConsumerDescription, handler?: ConsumerHandler): Promise<void> {
    const consumer = this.#complete(description, handler);
    await this.#change(consumer.group, async () => {
      const current = this.#running.get(consumer.group);
      if (current !== undefined && isDeepStrictEqual(current.consumer, consumer)) return;
      await current?.close();
      await this.#start(consumer);
    });
  }

  /**
   * Resolves when the consumer has finished the records in progress. Its group keeps its position, and its retries stay stored.
   * Resolves to whether there was such a consumer.
   */
  async remove(name: Pick<ConsumerDescription, 'module' | 'consumer'>): Promise<boolean> {
    const group = groupOf(name);
    // On shutdown every consumer is being closed anyway.
    if (this.#closed !== undefined) return this.#running.has(group);
    let removed = false;
    await this.#change(group, async () => {
      const current = this.#running.get(group);
      await current?.close();
      removed = this.#running.delete(group);
      if (removed) this.#logger.log(`consumer ${group}: removed`);
    });
    return removed;
  }

  list(): readonly ConsumerReport[] {
    return [...this.#running.values()].map(({ consumer, status: { state, since, reason, failures } }) => ({
      consumer,
      state,
      since,
      failures,
      ...(reason === undefined ? {} : { reason }),
    }));
  }

  /** Returns the sections of the configuration that belong to no consumer of this process. */
  unusedSections(): string[] {
    const present = [...this.#running.values()].map(({ consumer }) => consumer);
    return Object.entries(this.configuration.modules).flatMap(([module, { consumers }]) => {
      // The consumers of a module with a handler may come later, from a source.
      if (this.#handlers.has(module)) return [];
      const ofModule = present.filter((consumer) => consumer.module === module);
      if (ofModule.length === 0) return [`modules.${module}`];
      const names = new Set(ofModule.map(({ consumer }) => consumer));
      return Object.keys(consumers).flatMap((name) =>
        names.has(name) ? [] : [`modules.${module}.consumers.${name}`],
      );
    });
  }

  running(): IterableIterator<RunningConsumer> {
    return this.#running.values();
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    await this.#changes.idle();
    await Promise.all([...this.#running.values()].map((consumer) => consumer.close()));
  }

  #complete(description: ConsumerDescription, given: ConsumerHandler | undefined): Consumer {
    const handler = given ?? this.#handlers.get(description.module);
    if (handler === undefined)
      throw new ConsumerRefusedError(
        `module ${description.module} has no handler: pass one, or decorate one with @ModuleHandler`,
      );
    return consumerOf(description, handler, this.configuration);
  }

  async #start(consumer: Consumer): Promise<void> {
    const running = new RunningConsumer(consumer, this.dependencies);
    this.#running.set(consumer.group, running);
    await running.start();
  }

  async #change(group: string, change: () => Promise<void>): Promise<void> {
    await this.#changes.run(group, async () => {
      if (this.#closed !== undefined)
        throw new ConsumerRefusedError('the consumers are closing: the process is shutting down');
      await change();
    });
  }
}
