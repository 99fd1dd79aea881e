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

export interface SchedulePage {
  /** Ordered by due time, then by id. */
  readonly messages: readonly ScheduledMessage[];
  /** Absent on the last page. */
  readonly next?: string;
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
  /** Takes no more messages and waits for running handlers. May be called twice. */
  close(): Promise<void>;
}

/**
 * The delayed lane: messages that wait until they are due.
 *
 * Every adapter promises:
 * - `add` resolves when the store holds the message. Adding an id that is pending, or was delivered or cancelled recently, has no
 *   effect, so a retry is safe. An adapter that stores messages on this machine rejects with `ScheduleFullError` beyond a
 *   configured number of them.
 * - No message is delivered before its `dueAt`, by the clock of the delivering process and, if the store has a clock, by the
 *   store's clock as well. Lateness is small (tens of ms on an idle system) but not bounded.
 * - Each message is delivered by one handler among all processes that consume, at least once. If a process dies while it holds a
 *   message, another process delivers it after `leaseMs`. A message is settled only after the handler resolved.
 * - `cancel` and `reschedule` resolve to true if and only if the message was pending. After true, the message is not delivered at
 *   its old time. Once its handler has started, they resolve to false.
 * - `list` and `find` return only pending messages.
 * - While the store is unavailable, calls reject with `BrokerUnavailableError` in bounded time. Consumers resume by themselves
 *   when it returns.
 * - `close` waits for calls and handlers in progress, and may be called twice.
 *
 * Not promised: order between messages that are due in the same millisecond; delivery while no process consumes.
 */
export abstract class Schedule {
  abstract readonly capabilities: ScheduleCapabilities;
  abstract add(message: ScheduledMessage): Promise<void>;
  abstract find(id: string): Promise<ScheduledMessage | undefined>;
  abstract list(query: ScheduleQuery): Promise<SchedulePage>;
  abstract cancel(id: string): Promise<boolean>;
  abstract reschedule(id: string, dueAt: number): Promise<boolean>;
  abstract consume(options: ScheduleConsumeOptions, handler: DueHandler): Promise<ScheduleConsumer>;
  abstract close(): Promise<void>;
}
