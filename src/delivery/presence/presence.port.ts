import type { ClientInfo } from './client-info.js';

export interface PresenceStats {
  /** Connections in the channel. */
  readonly clients: number;
  /** Different user ids among them. All anonymous clients count as one. */
  readonly users: number;
}

/**
 * The clients in each channel, on all processes together.
 *
 * Promised by every adapter:
 * - `add` adds a connection for `ttlMs`, or extends its time and replaces its information. The process that added it
 *   repeats the call before the time ends. The clients of a process that dies expire, by the clock of the store.
 * - `remove` takes effect at once. Removing a connection that is not there does nothing.
 * - `members` and `stats` do not include expired clients. `members` rejects with `PresenceTooLargeError` if the clients have more
 *   bytes together than the caller accepts.
 * - While the store is unavailable a call rejects with `BrokerUnavailableError` in less than two seconds.
 */
export abstract class Presence {
  abstract add(channel: string, info: ClientInfo, ttlMs: number): Promise<void>;
  abstract remove(channel: string, clientId: string): Promise<void>;
  /**
   * Returns the clients of a channel by the ids of their connections.
   * @param maxBytes largest size of their ids and information together. Absent: unlimited.
   */
  abstract members(channel: string, maxBytes?: number): Promise<Map<string, ClientInfo>>;
  abstract stats(channel: string): Promise<PresenceStats>;
  abstract close(): Promise<void>;
}
