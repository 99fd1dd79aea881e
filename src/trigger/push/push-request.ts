import { createHash } from 'node:crypto';
import { toMessageExtension, type QueuedPublishOptions } from '../../delivery/index.js';
import type { Message, MessageFormat, ScheduledMessage } from '../../message/index.js';
import { dueTime, type Timing } from './timing.js';
import type { Plan } from './plan.js';

/** A push, as every API requests it. */
export interface PushRequest {
  readonly channel: string;
  readonly data: Buffer;
  readonly format: MessageFormat;
  /** Whether a copy is delivered immediately. */
  readonly instant: boolean;
  /** When the delayed copy is due. Absent: there is no delayed copy. */
  readonly delayed?: Timing;
  /** Time from the request after which a copy that was not delivered is dropped. */
  readonly expiresInMs?: number;
  readonly traceparent?: string;
  /** Identifies the caller in whose quota of the delayed lane the message counts. Absent: the caller has an API key. */
  readonly owner?: string;
  /** Unique across all callers: it contains the scope of the caller. */
  readonly idempotencyKey?: string;
  /** Carried by both copies. */
  readonly terms?: PublicationTerms;
}

/** Tags, and options for delivery. */
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

/** Covers what decides the outcome. The trace is not included, because a retry has a new one. */
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
