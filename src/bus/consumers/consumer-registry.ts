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
import { type ConsumerState, type ConsumerSurroundings, RunningConsumer } from './running-consumer.js';

export interface ConsumerReport {
  readonly consumer: Consumer;
  readonly state: ConsumerState;
}

/**
 * The consumers of this process. They may be added, changed and removed while the others run; changes to one group take
 * place one after the other, and a changed consumer finishes what it has in hand before it starts anew.
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
    private readonly surroundings: ConsumerSurroundings,
  ) {}

  /** @throws {ConsumerRefusedError} the module has a handler */
  setHandler(module: string, handler: ConsumerHandler): void {
    if (this.#handlers.has(module)) throw new ConsumerRefusedError(`module ${module} has two handlers`);
    this.#handlers.set(module, handler);
  }

  /**
   * Resolves when it takes records, or when its broker turned out to be away: it starts by itself then.
   *
   * @param handler that of its module, if none is given
   * @throws {ConsumerRefusedError} there is one with this name, or it cannot be had as described
   */
  async add(description: ConsumerDescription, handler?: ConsumerHandler): Promise<void> {
    const consumer = this.#complete(description, handler);
    await this.#change(consumer.group, async () => {
      if (this.#running.has(consumer.group))
        throw new ConsumerRefusedError(`there is a consumer ${consumer.group} already`);
      await this.#start(consumer);
    });
  }

  /** As {@link add}, but takes the place of one with this name. Nothing happens where nothing is different. */
  async put(description: ConsumerDescription, handler?: ConsumerHandler): Promise<void> {
    const consumer = this.#complete(description, handler);
    await this.#change(consumer.group, async () => {
      const former = this.#running.get(consumer.group);
      if (former !== undefined && isDeepStrictEqual(former.consumer, consumer)) return;
      await former?.close();
      await this.#start(consumer);
    });
  }

  /** Resolves when it has finished what it had in hand. Its group keeps its place, and what waits for another try waits on. */
  async remove(name: Pick<ConsumerDescription, 'module' | 'consumer'>): Promise<boolean> {
    const group = groupOf(name);
    // What is being closed is as good as removed.
    if (this.#closed !== undefined) return this.#running.has(group);
    let removed = false;
    await this.#change(group, async () => {
      const former = this.#running.get(group);
      await former?.close();
      removed = this.#running.delete(group);
      if (removed) this.#logger.log(`consumer ${group} is removed`);
    });
    return removed;
  }

  list(): readonly ConsumerReport[] {
    return [...this.#running.values()].map(({ consumer, state }) => ({ consumer, state }));
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
    if (handler === undefined) throw new ConsumerRefusedError(`module ${description.module} has no handler`);
    return consumerOf(description, handler, this.configuration);
  }

  async #start(consumer: Consumer): Promise<void> {
    const running = new RunningConsumer(consumer, this.surroundings);
    this.#running.set(consumer.group, running);
    await running.start();
    this.#logger.log(
      `consumer ${consumer.group} is ${running.state}: ${consumer.topics.join(', ')} on ${consumer.driver}`,
    );
  }

  async #change(group: string, change: () => Promise<void>): Promise<void> {
    await this.#changes.run(group, async () => {
      if (this.#closed !== undefined) throw new ConsumerRefusedError('the consumers are being closed');
      await change();
    });
  }
}
