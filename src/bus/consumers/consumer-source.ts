import type { ConsumerDescription } from './consumer.js';

/** Returned by {@link ConsumerSource.watch}. `close` stops the changes. */
export interface ConsumerWatch {
  close(): Promise<void>;
}

/**
 * Provides consumers at run time, for example from a configuration service, a database or a file. A provider of any module that
 * extends this class is found at start-up. Its consumers use the handler of their module, see {@link ModuleHandler}.
 */
export abstract class ConsumerSource {
  /**
   * Calls `wanted` with the complete list of consumers, at once and after each change. Consumers are added, changed and removed
   * accordingly. `wanted` resolves when this is done. It rejects if some consumers are refused; the others are up to date then.
   */
  abstract watch(
    wanted: (consumers: readonly ConsumerDescription[]) => Promise<void>,
  ): Promise<ConsumerWatch>;
}

/** A provider with this method is called before any consumer starts, for example to prepare tables or topics. */
export interface BeforeConsumersStart {
  /**
   * If it throws or rejects, the application does not start.
   *
   * @param consumers the consumers that are declared in code
   */
  beforeConsumersStart(consumers: readonly ConsumerDescription[]): Promise<void> | void;
}
