import type { Publication } from './publications/publication.js';

/** Called synchronously for each publication that reaches this process; must not throw. Given to an adapter's constructor. */
export type PublicationHandler = (publication: Publication) => void;

/**
 * Called when the connection to the store was lost and is restored, and what can be made up for has been: the channels that the
 * predicate accepts may have missed something all the same.
 */
export type InterruptionHandler = (isAffected: (channel: string) => boolean) => void;

/**
 * Carries publications to every process that has a subscriber for their channel, this one included.
 *
 * Promised by every adapter:
 * - `publish` resolves when the store has taken the publication, and rejects with `BrokerUnavailableError` in less than
 *   two seconds when it has not. After a rejection it may have been taken all the same: publishing again is safe for
 *   whoever tells publications apart by id.
 * - `subscribe` resolves when what is published from then on reaches this process. Publications of one channel that one
 *   process published one after the other arrive in that order. While the store is away `subscribe` waits for its return.
 * - Subscriptions are counted: each `subscribe` needs its `unsubscribe`, which may come while `subscribe` still waits; the
 *   promise then resolves, although nothing is in force.
 * - After a lost connection every subscription is made again without a call from above, and publications with an
 *   id that were published meanwhile (up to `replayWindowMs` back) are handed over then, before what comes later. The handler may
 *   therefore see an id twice; the deduplication above it removes that.
 * - A process receives only the channels that it subscribed to (or their route, see `address.ts`).
 * - `close` waits a bounded time for publishes under way, and may be called twice. Afterwards `publish` and `subscribe`
 *   reject with `FanoutClosedError`, and the handler is not called again.
 *
 * Not promised: that anybody was subscribed; replay of publications without an id; order in a channel across the loss of the
 * store's data, or of a backlog that memory has no room for.
 */
export abstract class Fanout {
  /** Whether the handler may see a publication twice. What a fan-out that never does carries needs an id for other reasons only. */
  abstract readonly repeats: boolean;
  abstract publish(publication: Publication): Promise<void>;
  abstract subscribe(channel: string): Promise<void>;
  abstract unsubscribe(channel: string): void;
  abstract close(): Promise<void>;
}
