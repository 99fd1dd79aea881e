import type { ConsumerDescription } from './consumer.js';

/** Stops what a {@link ConsumerSource} watches. */
export interface ConsumerWatch {
  close(): Promise<void>;
}

/**
 * Produces consumers at run time: from a configuration centre, a database, a file. A provider of any module that extends
 * this class is found at start-up. The handler is that of the module, see {@link ModuleHandler}.
 */
export abstract class ConsumerSource {
  /**
   * Calls `wanted` with every consumer that there should be, at once and whenever that changes: consumers are added,
   * changed and removed accordingly. It resolves when that is done and rejects, having done the rest, where a consumer is refused.
   */
  abstract watch(
    wanted: (consumers: readonly ConsumerDescription[]) => Promise<void>,
  ): Promise<ConsumerWatch>;
}

/** A provider with this method is called before any consumer starts, for example to prepare tables or topics. */
export interface BeforeConsumersStart {
  /** @param consumers those declared in code. A rejection stops the application from starting. */
  beforeConsumersStart(consumers: readonly ConsumerDescription[]): Promise<void> | void;
}
