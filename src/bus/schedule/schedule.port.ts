import type { ScheduledMessage } from '../../message/index.js';

export interface ScheduleCapabilities {
  /** A scheduled message outlives this process, a SIGKILL included. */
  readonly durable: boolean;
  /** Several processes share one schedule: any of them may add, cancel and hand over. */
  readonly shared: boolean;
}

export interface ScheduleQuery {
  /** Only messages to this channel. */
  readonly channel?: string;
  /** Largest number of messages in the page, 1 to 1000. */
  readonly limit: number;
  /** The `next` of the page before. */
  readonly cursor?: string;
}

export interface SchedulePage {
  /** By due time, then id. */
  readonly messages: readonly ScheduledMessage[];
  /** Absent on the last page. */
  readonly next?: string;
}

/** Receives each message when it is due. Resolving settles it; rejecting brings it again after a back-off. */
export type DueHandler = (message: ScheduledMessage) => Promise<void>;

export interface ScheduleConsumer {
  /** Takes no further messages and waits for the handlers under way. May be called twice. */
  close(): Promise<void>;
}

/**
 * The delayed lane: messages that wait for their time.
 *
 * Promised by every adapter:
 * - `add` resolves when the store holds the message. Adding an id that is already pending, or that was handed over or
 *   cancelled a moment ago, changes nothing: a retry is safe.
 *   An adapter that keeps its messages on this machine rejects with `ScheduleFullError` beyond a configured number of them.
 * - No message is handed over before its `dueAt`, by the clock of the process that hands over and, where the store has a
 *   clock, by that too. Lateness is small (tens of ms on an idle system) but not bounded.
 * - Each message is handed to one handler among all processes that consume, at least once: a process that dies
 *   while it holds a message leaves it to another after `leaseMs`. It is settled only after the handler
 *   resolved.
 * - `cancel` and `reschedule` answer true if and only if the message was still pending; after a true answer it
 *   is not handed over at its old time. Once its handler has begun they answer false.
 * - `list` and `find` show pending messages only.
 * - A store that goes away makes calls reject with `BrokerUnavailableError` in bounded time; consumers resume
 *   by themselves when it returns.
 * - `close` waits for calls and handlers under way, and may be called twice.
 *
 * Not promised: order between messages that are due in the same millisecond; a hand-over while no process consumes.
 */
export abstract class Schedule {
  abstract readonly capabilities: ScheduleCapabilities;
  abstract add(message: ScheduledMessage): Promise<void>;
  abstract find(id: string): Promise<ScheduledMessage | undefined>;
  abstract list(query: ScheduleQuery): Promise<SchedulePage>;
  abstract cancel(id: string): Promise<boolean>;
  abstract reschedule(id: string, dueAt: number): Promise<boolean>;
  /** Hands due messages to `handler`, at most `concurrency` at a time. */
  abstract consume(options: { readonly concurrency: number }, handler: DueHandler): Promise<ScheduleConsumer>;
  abstract close(): Promise<void>;
}
