export {
  Bus,
  type BusCapabilities,
  type BusSubscription,
  type PartitionLag,
  type RecordHandler,
  type SubscribeOptions,
} from './bus.port.js';
export {
  Schedule,
  type DueHandler,
  type ScheduleCapabilities,
  type ScheduleConsumer,
  type SchedulePage,
  type ScheduleQuery,
} from './schedule.port.js';
export { InstantLane, type UndeliverableListener } from './instant-lane.js';
export type { ForeignRecordRule } from './message-record.js';
export type { ClientInfo } from './client-info.js';
export { Idempotency } from './idempotency.port.js';
export type { OutgoingRecord, ReceivedRecord } from './record.js';
export {
  isExpired,
  newMessageId,
  type Message,
  type MessageFormat,
  type ScheduledMessage,
} from './message.js';
export {
  AdapterUnusableError,
  BrokerUnavailableError,
  BusClosedError,
  PartitionsDifferError,
  RecordRefusedError,
  ScheduleFullError,
  UndeliverableRecordError,
} from './bus.errors.js';
export { BusModule } from './bus.module.js';
export { LanesModule } from './lanes.module.js';
export { EmbeddedStores, EmbeddedStoresModule } from './embedded-stores.module.js';
export { busOptions, type BusDriver, type BusOptions, type BusOptionsInput } from './bus.options.js';
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
export { ConsumerRegistry, type ConsumerReport } from './consumers/consumer-registry.js';
export {
  type BeforeConsumersStart,
  ConsumerSource,
  type ConsumerWatch,
} from './consumers/consumer-source.js';
export { DeadLetters, type DeadLetterFilter } from './consumers/dead-letters.js';
export { eventName, type OutgoingEvent } from './consumers/event-record.js';
export { Events, type EmitOptions, type Emitted } from './consumers/events.js';
export type { ReceivedEvent } from './consumers/received-event.js';
export type { Failure, ParkedRecord } from './parked-record.js';
export type { DeadLetterPage, DeadLetterQuery } from './parked-records.port.js';
