export {
  Bus,
  type BusCapabilities,
  type BusSubscription,
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
export { type ForeignRecordRule, messageHeaders, toMessage, toRecord } from './message-record.js';
export { fromInfoText, toInfoText, type ClientInfo } from './client-info.js';
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
  RecordRefusedError,
  UndeliverableRecordError,
} from './bus.errors.js';
export { BusModule } from './bus.module.js';
export { busOptions, type BusOptions } from './bus.options.js';
