import type { BusDriver, BusOptions } from '../bus.options.js';
import { ConsumerRefusedError } from './consumer.errors.js';
import { consumerName, consumerSettings, type ConsumerSettings } from './consumer.options.js';
import type { ReceivedEvent } from './received-event.js';

/** What a handler may want to know beside the event. */
export interface HandlingContext {
  /** Aborted when the handler's time is over. */
  readonly signal: AbortSignal;
}

export type EventContext = HandlingContext & Omit<ReceivedEvent, 'event' | 'payload'>;

/**
 * Handles one event. Resolving acknowledges it; rejecting has it tried again, later, without holding up those behind it.
 * An event may come more than once: after a crash, and after a time-out whose handler went on.
 */
export type EventHandler = (
  consumer: string,
  event: string,
  payload: unknown,
  context: EventContext,
) => Promise<void> | void;

/**
 * Handles events of one partition together. Rejecting has each of them tried again, alone; {@link PartlyHandledError}
 * those that it names.
 */
export type BatchHandler = (
  consumer: string,
  events: readonly ReceivedEvent[],
  context: HandlingContext,
) => Promise<void> | void;

export type ConsumerHandler =
  | { readonly takes: 'one'; readonly handle: EventHandler }
  | { readonly takes: 'batch'; readonly handle: BatchHandler };

/** A consumer of a module, as code, a configuration centre or a database describes it. */
export interface ConsumerDescription extends Partial<ConsumerSettings> {
  /** The business module, for example `task`. */
  readonly module: string;
  /** Its name within the module. The consumer group is `module-consumer`. */
  readonly consumer: string;
  readonly topics: readonly string[];
  /** The events that it cares about; the others it passes over. Absent: all of them. */
  readonly events?: readonly string[];
  /** What carries its topics. Absent: the default driver. */
  readonly driver?: BusDriver;
}

/** A consumer with everything decided. */
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
 * Completes a description: what the configuration says of this consumer, else of its module, else what the
 * description says, else what applies to all.
 *
 * @throws {ConsumerRefusedError}
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
      throw new ConsumerRefusedError(`${JSON.stringify(name)} cannot name a module or a consumer`);
  if (topics.length === 0) throw new ConsumerRefusedError(`${group} names no topic`);
  const section = configuration.modules[module];
  const {
    pools: _pools,
    consumers,
    driver: moduleDriver,
    ...ofModule
  } = section ?? { pools: {}, consumers: {} };
  const { driver: consumerDriver, ...ofConsumer } = consumers[consumer] ?? {};
  const settings = consumerSettings.safeParse(defined(configuration.consumers, own, ofModule, ofConsumer));
  if (!settings.success) {
    const faults = settings.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new ConsumerRefusedError(`${group}: ${faults.join('; ')}`);
  }
  const { batchSize, maxWaiting } = settings.data;
  if (batchSize > maxWaiting)
    throw new ConsumerRefusedError(
      `${group}: batchSize is above maxWaiting, so a failed batch could not be kept`,
    );
  return {
    module,
    consumer,
    group,
    driver: consumerDriver ?? moduleDriver ?? driver ?? configuration.defaultDriver,
    topics,
    events: events && new Set(events),
    settings: settings.data,
    handler,
  };
}

/** The later win, where they say something. */
function defined(...layers: readonly object[]): Record<string, unknown> {
  const entries = layers.flatMap((layer) => Object.entries(layer) as [string, unknown][]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}
