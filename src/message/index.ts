export {
  foreignRecordRule,
  type ForeignRecordRule,
  messageHeaders,
  toRecord,
  toMessage,
} from './message-record.js';
export { frame, unframe, toBytes, fromBytes } from './message-bytes.js';
export {
  type Message,
  type MessageExtension,
  type MessageFormat,
  type ScheduledMessage,
  newMessageId,
  isExpired,
} from './message.js';
export type { OutgoingRecord, ReceivedRecord } from './record.js';
export { readTraceparent } from './traceparent.js';
export { UndeliverableRecordError } from './message.errors.js';
