import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import type { BatchHandler, ConsumerDescription, ConsumerHandler, EventHandler } from './consumer.js';
import { ModuleConsumer, ModuleHandler } from './consumer.decorators.js';
import { ConsumerRefusedError } from './consumer.errors.js';
import { ConsumerRegistry } from './consumer-registry.js';
import { type BeforeConsumersStart, ConsumerSource, type ConsumerWatch } from './consumer-source.js';
import { declarationsOn } from './declarations.js';
import { SourcedConsumers } from './sourced-consumers.js';

type Wrapper = ReturnType<DiscoveryService['getProviders']>[number];
type Method = (...args: unknown[]) => unknown;

interface Declared {
  readonly description: ConsumerDescription;
  readonly handler: ConsumerHandler;
}

/** Finds consumers, handlers, hooks and sources among the providers and controllers of the application, and starts the consumers. */
@Injectable()
export class ConsumerDiscovery implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #logger = new Logger('Consumers');
  readonly #watches: ConsumerWatch[] = [];

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly registry: ConsumerRegistry,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const wrappers = [...this.discovery.getProviders(), ...this.discovery.getControllers()];
    const declared = wrappers.flatMap((wrapper) => this.#consumersOf(wrapper));
    for (const wrapper of wrappers) this.#registerHandlersOf(wrapper);
    const instances = new Set(
      wrappers.filter((each) => each.isDependencyTreeStatic()).map(({ instance }) => instance as unknown),
    );
    const consumers = declared.map(({ description }) => description);
    for (const instance of instances) if (isHook(instance)) await instance.beforeConsumersStart(consumers);
    await Promise.all(declared.map(({ description, handler }) => this.registry.add(description, handler)));
    for (const instance of instances) if (instance instanceof ConsumerSource) await this.#follow(instance);
    for (const section of this.registry.unusedSections())
      this.#logger.warn(
        `${section} has no effect: this process has no such consumer. Compare the names with those in the code`,
      );
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all(this.#watches.map((watch) => watch.close()));
  }

  async #follow(source: ConsumerSource): Promise<void> {
    const sourced = new SourcedConsumers(this.registry);
    this.#watches.push(await source.watch((wanted) => sourced.update(wanted)));
    this.#logger.log(`consumer source ${source.constructor.name}: started`);
  }

  #consumersOf(wrapper: Wrapper): Declared[] {
    const found = this.#methodsWith(wrapper, ModuleConsumer);
    return found.map(({ metadata: { batch, ...description }, method }) => ({
      description,
      handler: handlerOf(method, batch ?? false),
    }));
  }

  #registerHandlersOf(wrapper: Wrapper): void {
    for (const { metadata, method } of this.#methodsWith(wrapper, ModuleHandler))
      this.registry.setHandler(metadata.module, handlerOf(method, metadata.batch ?? false));
  }

  #methodsWith<T>(
    wrapper: Wrapper,
    decorator: ReturnType<typeof DiscoveryService.createDecorator<T>>,
  ): { metadata: T; method: Method }[] {
    if (typeof wrapper.metatype !== 'function' || wrapper.isAlias) return [];
    return declarationsOn<T>(wrapper.metatype, decorator).map(({ metadata, method }) => ({
      metadata,
      method: boundMethod(wrapper, method),
    }));
  }
}

function boundMethod(wrapper: Wrapper, name: string): Method {
  const where = `${wrapper.name}.${name}`;
  if (!wrapper.isDependencyTreeStatic())
    throw new ConsumerRefusedError(
      `${where} cannot handle events: its provider is request-scoped, use the default scope`,
    );
  const instance = wrapper.instance as Readonly<Record<string, unknown>>;
  const method = instance[name];
  if (typeof method !== 'function')
    throw new ConsumerRefusedError(`${where} is missing: a decorated class needs this method`);
  return (method as Method).bind(instance);
}

function handlerOf(method: Method, batch: boolean): ConsumerHandler {
  return batch
    ? { takes: 'batch', handle: method as BatchHandler }
    : { takes: 'one', handle: method as EventHandler };
}

function isHook(instance: unknown): instance is BeforeConsumersStart {
  return (
    typeof instance === 'object' &&
    instance !== null &&
    'beforeConsumersStart' in instance &&
    typeof instance.beforeConsumersStart === 'function'
  );
}
