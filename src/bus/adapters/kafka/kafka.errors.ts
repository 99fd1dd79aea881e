import { BrokerUnavailableError, RecordRefusedError } from '../../bus.errors.js';

const REFUSALS = new Set(['INVALID_TOPIC_EXCEPTION', 'MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);
const TOO_LARGE = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);
const TOPIC_PENDING = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
]);
const PRODUCER_UNKNOWN = new Set([
  'INVALID_PRODUCER_EPOCH',
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
]);
const GENERATION_OVER = new Set(['ILLEGAL_GENERATION', 'REBALANCE_IN_PROGRESS', 'UNKNOWN_MEMBER_ID']);

/** Returns the protocol's name of a broker error, for example `MESSAGE_TOO_LARGE`, or undefined for other errors. */
export function errorTypeOf(error: unknown): string | undefined {
  const root = rootOf(error);
  return 'type' in root && typeof root.type === 'string' ? root.type : undefined;
}

/** Returns the original error. kafkajs wraps it once for every layer that retried it. */
function rootOf(error: unknown): Error {
  let root = error instanceof Error ? error : new Error(String(error));
  while (root.cause instanceof Error) root = root.cause;
  const parts = 'errors' in root && Array.isArray(root.errors) ? root.errors : [];
  return parts[0] instanceof Error ? parts[0] : root;
}

/** Returns a short text for a log or a status. */
export function reasonOf(error: unknown): string {
  return rootOf(error).message;
}

export function isTooLarge(error: unknown): boolean {
  return TOO_LARGE.has(errorTypeOf(error) ?? '');
}

/** Returns whether the broker does not know the topic: it does not exist, or not for long. */
export function isTopicUnknown(error: unknown): boolean {
  return errorTypeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION';
}

/** Returns whether the topic is not ready, as far as the asked broker knows. It will be when the brokers agree on its leaders. */
export function isTopicPending(error: unknown): boolean {
  return TOPIC_PENDING.has(errorTypeOf(error) ?? '') || rootOf(error).name === 'KafkaJSMetadataNotLoaded';
}

/** Returns whether the broker no longer knows an idempotent producer. It accepts a new producer at once. */
export function isProducerUnknown(error: unknown): boolean {
  return PRODUCER_UNKNOWN.has(errorTypeOf(error) ?? '');
}

/** Returns whether a rebalance has started since: this member must not commit offsets of the partitions that it had. */
export function isGenerationOver(error: unknown): boolean {
  return GENERATION_OVER.has(errorTypeOf(error) ?? '');
}

/** Returns whether the broker says that the same request can succeed later: it has just started, or does not know a new topic yet. */
export function isPassing(error: unknown): boolean {
  const root = rootOf(error);
  return 'type' in root && 'retriable' in root && root.retriable === true;
}

/** Returns the error of each topic that a request names, or undefined if the whole request failed. */
export function topicErrorsOf(error: unknown): ReadonlyMap<string, Error> | undefined {
  const parts: unknown = error instanceof Error && 'errors' in error ? error.errors : undefined;
  if (!Array.isArray(parts)) return undefined;
  const errors = new Map<string, Error>();
  for (const part of parts as unknown[])
    if (part instanceof Error && 'topic' in part) errors.set(String(part.topic), part);
  return errors;
}

export function kafkaError(error: unknown): BrokerUnavailableError | RecordRefusedError {
  if (error instanceof BrokerUnavailableError || error instanceof RecordRefusedError) return error;
  const root = rootOf(error);
  if (REFUSALS.has(errorTypeOf(root) ?? '')) return new RecordRefusedError(root.message, { cause: root });
  return new BrokerUnavailableError('kafka', root.message, { cause: root });
}

/** @throws {RecordRefusedError} Kafka does not accept the name */
export function checkTopicName(topic: string): void {
  if (/^[\w.-]{1,249}$/.test(topic) && topic !== '.' && topic !== '..') return;
  throw new RecordRefusedError(
    `${JSON.stringify(topic.slice(0, 64))} is not a valid Kafka topic name: use at most 249 letters, digits, dots, underscores and hyphens`,
  );
}
