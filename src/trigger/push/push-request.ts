import { createHash } from 'node:crypto';
import { toMessageExtension, type QueuedPublishOptions } from '../../delivery/index.js';
import type { Message, MessageFormat, ScheduledMessage } from '../../message/index.js';
import { dueTime, type Timing } from './timing.js';
import type { Plan } from './plan.js';

/** What a caller asks for, whichever way it asked. */
export interface PushRequest {
  readonly channel: string;
  readonly data: Buffer;
  readonly format: MessageFormat;
  /** Whether a copy goes out at once. */
  readonly instant: boolean;
  /** When another copy is due; absent: no delayed copy. */
  readonly delayed?: Timing;
  /** Counted from the request, for both copies. */
  readonly expiresInMs?: number;
  readonly traceparent?: string;
  /** Unique over all callers: the caller's key with the caller's name before it. */
  readonly idempotencyKey?: string;
  /** What both copies carry besides. */
  readonly terms?: PublicationTerms;
}

/** What a message may ask of delivery. */
export type PublicationTerms = Pick<Message, 'tags'> & QueuedPublishOptions;

export function newPlan(request: PushRequest, nowMs: number, newId: () => string): Plan {
  return {
    state: 'planned',
    fingerprint: fingerprintOf(request),
    createdAt: nowMs,
    ...(request.expiresInMs !== undefined ? { expiresAt: nowMs + request.expiresInMs } : {}),
    ...(request.instant ? { instantId: newId() } : {}),
    ...(request.delayed ? { delayed: { id: newId(), dueAt: dueTime(request.delayed, nowMs) } } : {}),
  };
}

/** Of what decides the outcome. Not of the trace: a retry has a new one. */
function fingerprintOf(request: PushRequest): string {
  const { channel, data, format, instant, delayed, expiresInMs, terms } = request;
  return createHash('sha256')
    .update(JSON.stringify([channel, format, instant, delayed, expiresInMs, terms]))
    .update(data)
    .digest('base64url');
}

export function instantCopy(id: string, plan: Plan, request: PushRequest): Message {
  const { channel, data, format, traceparent, terms } = request;
  const { createdAt, expiresAt } = plan;
  const extension = terms && toMessageExtension(terms);
  return {
    id,
    channel,
    data,
    format,
    createdAt,
    ...(expiresAt !== undefined ? { expiresAt } : {}),
    ...(traceparent !== undefined ? { traceparent } : {}),
    ...(terms?.tags !== undefined ? { tags: terms.tags } : {}),
    ...(extension !== undefined ? { extension } : {}),
  };
}

export function delayedCopy(
  { id, dueAt }: NonNullable<Plan['delayed']>,
  plan: Plan,
  request: PushRequest,
): ScheduledMessage {
  return { ...instantCopy(id, plan, request), dueAt };
}
