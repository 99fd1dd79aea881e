export {
  Bus,
  type BusCapabilities,
  type BusSubscription,
  type PartitionLag,
  type ProgressReporter,
  type RecordHandler,
  type SubscribeOptions,
} from './bus.port.js';
export {
  Schedule,
  type DueHandler,
  type ScheduleCapabilities,
  type ScheduleConsumeOptions,
  type ScheduleConsumer,
  type SchedulePage,
  type ScheduledSummary,
  type ScheduleQuery,
  type ScheduleUsage,
} from './schedule/schedule.port.js';
export { InstantLane, type UndeliverableListener } from './lanes/instant-lane.js';
export { Idempotency } from './idempotency.port.js';
export {
  newMessageId,
  type OutgoingRecord,
  type ReceivedRecord,
  UndeliverableRecordError,
} from '../message/index.js';
export {
  AdapterUnusableError,
  BrokerUnavailableError,
  BusClosedError,
  PartitionsDifferError,
  RecordRefusedError,
  ScheduleFullError,
  ScheduleQuotaError,
} from './bus.errors.js';
export { metricsRegistry } from '../metrics/index.js';
export { BusModule } from './bus.module.js';
export { LanesModule } from './lanes/lanes.module.js';
export { EmbeddedStores, EmbeddedStoresModule } from './embedded-stores.module.js';
export { busOptions, type BusDriver, type BusOptions, type BusOptionsInput } from './bus.options.js';
export { busSectionNames, translateOriginalNames } from './original-names.js';
export { Buses } from './buses.js';
export {
  type BatchHandler,
  type ConsumerDescription,
  type ConsumerHandler,
  type EventContext,
  type EventHandler,
  groupOf,
  type HandlingContext,
} from './consumers/consumer.js';
export {
  ModuleConsumer,
  type ModuleConsumerOptions,
  ModuleHandler,
  type ModuleHandlerOptions,
} from './consumers/consumer.decorators.js';
export {
  ConsumerRefusedError,
  EmitKeyReusedError,
  HandlerTimedOutError,
  PartlyHandledError,
  UnhandleableEventError,
} from './consumers/consumer.errors.js';
export type { ConsumerState } from './consumers/consumer-state.js';
export { takeUncaughtError } from './consumers/user-code.js';
export { ConsumerRegistry, type ConsumerReport } from './consumers/consumer-registry.js';
export {
  type BeforeConsumersStart,
  ConsumerSource,
  type ConsumerWatch,
} from './consumers/consumer-source.js';
export { type ConsumerFiles, loadConsumerFiles, noConsumerFiles } from './loading/consumer-files.js';
export { ConsumerFilesModule } from './loading/consumer-files.module.js';
export { DeadLetters, type DeadLetterFilter } from './retries/dead-letters.js';
export { deadLetterSummary, type DeadLetterSummary } from './retries/dead-letter-summary.js';
export { eventName, type OutgoingEvent } from './consumers/event-record.js';
export { Events, type EmitOptions, type Emitted } from './consumers/events.js';
export type { ReceivedEvent } from './consumers/received-event.js';
export type { Failure, RetryRecord } from './retries/retry-record.js';
export type { DeadLetterPage, DeadLetterQuery } from './retries/retry-store.port.js';
