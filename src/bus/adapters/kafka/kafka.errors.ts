import { BrokerUnavailableError, RecordRefusedError } from '../../bus.errors.js';

const REFUSALS = new Set(['INVALID_TOPIC_EXCEPTION', 'MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);
const TOO_LARGE = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);
const PRODUCER_UNKNOWN = new Set([
  'INVALID_PRODUCER_EPOCH',
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
]);
const GENERATION_OVER = new Set(['ILLEGAL_GENERATION', 'REBALANCE_IN_PROGRESS', 'UNKNOWN_MEMBER_ID']);

/** The name that the protocol gives to a broker's answer, for example `MESSAGE_TOO_LARGE`; absent for other errors. */
export function answerOf(error: unknown): string | undefined {
  const root = rootOf(error);
  return 'type' in root && typeof root.type === 'string' ? root.type : undefined;
}

/** What went wrong first: kafkajs wraps an error once for every layer that retried it. */
function rootOf(error: unknown): Error {
  let root = error instanceof Error ? error : new Error(String(error));
  while (root.cause instanceof Error) root = root.cause;
  const parts = 'errors' in root && Array.isArray(root.errors) ? root.errors : [];
  return parts[0] instanceof Error ? parts[0] : root;
}

/** In one line, for a log or a status. */
export function reasonOf(error: unknown): string {
  return rootOf(error).message;
}

export function isTooLarge(error: unknown): boolean {
  return TOO_LARGE.has(answerOf(error) ?? '');
}

/** The broker lost track of an idempotent producer; a new one is welcome at once. */
export function isProducerUnknown(error: unknown): boolean {
  return PRODUCER_UNKNOWN.has(answerOf(error) ?? '');
}

/** The partitions are being dealt anew, or were: what this member had is no longer its own to commit. */
export function isGenerationOver(error: unknown): boolean {
  return GENERATION_OVER.has(answerOf(error) ?? '');
}

export function kafkaError(error: unknown): BrokerUnavailableError | RecordRefusedError {
  if (error instanceof BrokerUnavailableError || error instanceof RecordRefusedError) return error;
  const root = rootOf(error);
  if (REFUSALS.has(answerOf(root) ?? '')) return new RecordRefusedError(root.message, { cause: root });
  return new BrokerUnavailableError('kafka', root.message, { cause: root });
}

/** @throws {RecordRefusedError} Kafka does not allow such a name */
export function checkTopicName(topic: string): void {
  if (/^[\w.-]{1,249}$/.test(topic) && topic !== '.' && topic !== '..') return;
  throw new RecordRefusedError(
    `${JSON.stringify(topic.slice(0, 64))} is no topic name: at most 249 letters, digits, and . _ - are allowed`,
  );
}
