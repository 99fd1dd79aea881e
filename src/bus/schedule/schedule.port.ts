import type { ScheduledMessage } from '../../message/index.js';
import type { ProgressReporter } from '../bus.port.js';

export interface ScheduleCapabilities {
  /** A scheduled message survives this process, even a SIGKILL. */
  readonly durable: boolean;
  /** Several processes share one schedule: each of them may add, cancel and deliver messages. */
  readonly shared: boolean;
}

export interface ScheduleQuery {
  /** Lists only messages to this channel. */
  readonly channel?: string;
  /** Largest number of messages in the page, 1 to 1000. */
  readonly limit: number;
  /** The `next` of the previous page. */
  readonly cursor?: string;
}

/** What a list shows of a message: not its payload, so that a page is small whatever the messages are. */
export type ScheduledSummary = Pick<ScheduledMessage, 'id' | 'channel' | 'createdAt' | 'dueAt' | 'expiresAt'>;

export interface SchedulePage {
  /** Ordered by due time, then by id. At least one, and not necessarily `limit`, if there is a next page. */
  readonly messages: readonly ScheduledSummary[];
  /** Absent on the last page. */
  readonly next?: string;
}

/** What waits in the lane. Messages that are being delivered count until they are settled. */
export interface ScheduleUsage {
  readonly messages: number;
  /** The size of the messages in their stored form. Those that an earlier version stored count as 0. */
  readonly bytes: number;
  /** The part of callers without an API key. */
  readonly anonymousMessages: number;
  readonly anonymousBytes: number;
}

/** Delivers a due message. If it resolves, the message is settled. If it rejects, the message is delivered again after a backoff. */
export type DueHandler = (message: ScheduledMessage) => Promise<void>;

export interface ScheduleConsumeOptions {
  /** Largest number of messages that are passed to the handler at the same time. */
  readonly concurrency: number;
  /** Receives what keeps this consumer from receiving due messages. */
  readonly progress?: ProgressReporter;
}

export interface ScheduleConsumer {
  /**
   * Called with the id of a message that stays overdue. If the consumer depends on a broker to deliver the message, and does not
   * hold it, it connects again, so that the broker starts again with what is due. Returns whether it does.
   */
  reconnect?(overdue: string): boolean;
  /** Takes no more messages and waits for running handlers. May be called twice. */
  close(): Promise<void>;
}

/**
 * The delayed lane: messages that wait until they are due.
 *
 * Every adapter promises:
 * - `add` resolves when the store holds the message. Adding an id that is pending, or was delivered or cancelled recently, has no
 *   effect, so a retry is safe.
 * - `add` rejects with `ScheduleFullError` if the message does not fit into the limits of the lane, or of the part that callers
 *   without an API key share, and with `ScheduleQuotaError` if it does not fit into the quota of its caller.
 *   Concurrent calls cannot exceed a limit together. There is room again when messages were delivered or cancelled.
 * - No message is delivered before its `dueAt`, by the clock of the delivering process and, if the store has a clock, by the
 *   store's clock as well. Lateness is small (tens of ms on an idle system) but not bounded.
 * - Each message is delivered by one handler among all processes that consume, at least once. If a process dies while it holds a
 *   message, another process delivers it after `leaseMs`. A message is settled only after the handler resolved.
 * - `cancel` and `reschedule` resolve to true if and only if the message was pending. After true, the message is not delivered at
 *   its old time. Once its handler has started, they resolve to false.
 * - `list` and `find` return only pending messages. `list` reads no payloads, and ends a page early that would
 *   be larger than about 1 MiB.
 * - While the store is unavailable, calls reject with `BrokerUnavailableError` in bounded time. Consumers resume by themselves
 *   when it returns.
 * - `close` waits for calls and handlers in progress, and may be called twice.
 *
 * Not promised: order between messages that are due in the same millisecond; delivery while no process consumes.
 */
export abstract class Schedule {
  abstract readonly capabilities: ScheduleCapabilities;
  /** @param owner identifies the caller whose quota the message counts in. Absent: the caller has an API key, and no quota. */
  abstract add(message: ScheduledMessage, owner?: string): Promise<void>;
  abstract find(id: string): Promise<ScheduledMessage | undefined>;
  abstract list(query: ScheduleQuery): Promise<SchedulePage>;
  abstract cancel(id: string): Promise<boolean>;
  abstract reschedule(id: string, dueAt: number): Promise<boolean>;
  abstract usage(): Promise<ScheduleUsage>;
  abstract consume(options: ScheduleConsumeOptions, handler: DueHandler): Promise<ScheduleConsumer>;
  abstract close(): Promise<void>;
}
