import type { BusDriver, BusOptions } from '../bus.options.js';
import { ConsumerRefusedError } from './consumer.errors.js';
import { consumerName, consumerSettings, type ConsumerSettings } from './consumer.options.js';
import type { ReceivedEvent } from './received-event.js';

/** The context of the events, which a handler receives with them. */
export interface HandlingContext {
  /** Aborted when the handler's time-out is over. */
  readonly signal: AbortSignal;
}

export type EventContext = HandlingContext & Omit<ReceivedEvent, 'event' | 'payload'>;

/**
 * Handles one event. If it resolves, the event is acknowledged. If it rejects, the event is retried later, without blocking the
 * events after it. An event may be delivered more than once: after a crash, or after a time-out while the handler still ran.
 */
export type EventHandler = (
  consumer: string,
  event: string,
  payload: unknown,
  context: EventContext,
) => Promise<void> | void;

/**
 * Handles events of one partition together. If it rejects, each event is retried on its own; with {@link PartlyHandledError} only
 * the events that the error names.
 */
export type BatchHandler = (
  consumer: string,
  events: readonly ReceivedEvent[],
  context: HandlingContext,
) => Promise<void> | void;

export type ConsumerHandler =
  | { readonly takes: 'one'; readonly handle: EventHandler }
  | { readonly takes: 'batch'; readonly handle: BatchHandler };

/** The description of a module's consumer, in code or from a {@link ConsumerSource}. */
export interface ConsumerDescription extends Partial<ConsumerSettings> {
  /** The business module, for example `task`. */
  readonly module: string;
  /** The name within the module. The consumer group is `module-consumer`. */
  readonly consumer: string;
  readonly topics: readonly string[];
  /** The events to handle; others are skipped. Absent: all events. */
  readonly events?: readonly string[];
  /** The driver of its topics. Absent: the default driver. */
  readonly driver?: BusDriver;
}

/** A complete consumer: its description merged with the configuration. */
export interface Consumer {
  readonly module: string;
  readonly consumer: string;
  readonly group: string;
  readonly driver: BusDriver;
  readonly topics: readonly string[];
  readonly events: ReadonlySet<string> | undefined;
  readonly settings: ConsumerSettings;
  readonly handler: ConsumerHandler;
}

export type ConsumerConfiguration = Pick<BusOptions, 'consumers' | 'modules' | 'defaultDriver'>;

export function groupOf({ module, consumer }: Pick<ConsumerDescription, 'module' | 'consumer'>): string {
  return `${module}-${consumer}`;
}

/**
 * Completes a description. Each setting comes from the first of these that has it: the configuration of the consumer, the
 * configuration of its module for the driver, that of its module, the description, the defaults for all consumers.
 *
 * @throws {ConsumerRefusedError} the description is invalid
 */
export function consumerOf(
  description: ConsumerDescription,
  handler: ConsumerHandler,
  configuration: ConsumerConfiguration,
): Consumer {
  const { module, consumer, topics, events, driver, ...own } = description;
  const group = groupOf(description);
  for (const name of [module, consumer])
    if (!consumerName.safeParse(name).success)
      throw new ConsumerRefusedError(
        `${JSON.stringify(name)} is not a valid name of a module or a consumer: ` +
          'use at most 100 letters, digits, underscores and dots, with single hyphens between them',
      );
  // A file in plain JavaScript is not checked by a compiler.
  if (!Array.isArray(topics) || topics.length === 0)
    throw new ConsumerRefusedError(`${group} has no topics: name at least one`);
  const section = configuration.modules[module];
  const {
    pools,
    load: _load,
    consumers,
    driver: moduleDriver,
    ...ofModule
  } = section ?? { pools: {}, load: [], consumers: {} };
  const { driver: consumerDriver, ...ofConsumer } = consumers[consumer] ?? {};
  const usedDriver = consumerDriver ?? moduleDriver ?? driver ?? configuration.defaultDriver;
  const ofDriver = usedDriver === 'memory' ? {} : settingsIn(pools[usedDriver]);
  const settings = consumerSettings.safeParse(
    defined(configuration.consumers, own, ofModule, ofDriver, ofConsumer),
  );
  if (!settings.success) {
    const faults = settings.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new ConsumerRefusedError(`${group}: ${faults.join('; ')}`);
  }
  const { batchSize, maxWaiting } = settings.data;
  if (batchSize > maxWaiting)
    throw new ConsumerRefusedError(
      `${group}: batchSize (${batchSize}) is above maxWaiting (${maxWaiting}), so a failed batch could not be stored`,
    );
  return {
    module,
    consumer,
    group,
    driver: usedDriver,
    topics,
    events: events && new Set(events),
    settings: settings.data,
    handler,
  };
}

/** Returns the settings of consumers in the section of a pool. */
function settingsIn(pool: object = {}): object {
  return Object.fromEntries(Object.entries(pool).filter(([name]) => name in consumerSettings.shape));
}

/** Merges the layers. A later layer wins, unless its value is undefined. */
function defined(...layers: readonly object[]): Record<string, unknown> {
  const entries = layers.flatMap((layer) => Object.entries(layer) as [string, unknown][]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}
