export { foreignRecordRule, type ForeignRecordRule } from './foreign-record.js';
export {
  messageHeaders,
  refuseUndecodable,
  undecodableHeader,
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
export { ForeignRecordError, UndeliverableRecordError } from './message.errors.js';
