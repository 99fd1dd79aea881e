import type { ClientInfo } from './client-info.js';

export interface PresenceStats {
  /** Connections in the channel. */
  readonly clients: number;
  /** Different user ids among them; all anonymous clients count as one. */
  readonly users: number;
}

/**
 * Who is in a channel, on all processes together.
 *
 * Promised by every adapter:
 * - `add` enters a connection for `ttlMs`, or prolongs its entry and replaces what it says. Whoever entered it repeats the call
 *   before the time is over; what a process that died leaves behind disappears by itself, by the clock of the store.
 * - `remove` takes effect at once. Removing what is not there does nothing.
 * - `members` and `stats` do not see entries that have run out.
 * - Where the store is away a call rejects with `BrokerUnavailableError` in less than two seconds.
 */
export abstract class Presence {
  abstract add(channel: string, info: ClientInfo, ttlMs: number): Promise<void>;
  abstract remove(channel: string, clientId: string): Promise<void>;
  /** By the id of the connection. */
  abstract members(channel: string): Promise<Map<string, ClientInfo>>;
  abstract stats(channel: string): Promise<PresenceStats>;
  abstract close(): Promise<void>;
}
