import type { Publication } from './publications/publication.js';

/**
 * Called synchronously for each publication that reaches this process. Must not throw. The constructor of an adapter
 * receives it.
 */
export type PublicationHandler = (publication: Publication) => void;

/**
 * Called when the connection to the store was lost and is restored, after the replay of what can be replayed. The
 * channels that the predicate accepts may still have missed something.
 */
export type InterruptionHandler = (isAffected: (channel: string) => boolean) => void;

/**
 * Carries publications to every process that has a subscriber for their channel, including this one.
 *
 * Promised by every adapter:
 * - `publish` resolves when the store has accepted the publication, and rejects with `BrokerUnavailableError` in less
 *   than two seconds if it has not. After a rejection it may still have been accepted: publishing it again is safe if
 *   its receivers compare ids.
 * - `subscribe` resolves when everything that is published from then on reaches this process. Publications of one
 *   channel that one process publishes one after the other arrive in that order. While the store is unavailable
 *   `subscribe` waits.
 * - Subscriptions are counted: each `subscribe` needs its `unsubscribe`. That may come while `subscribe` still waits,
 *   and then resolves its promise although there is no subscription.
 * - After a lost connection all subscriptions are restored, and publications with an id that were published in the
 *   meantime (up to `replayWindowMs`) are passed on then, before later ones. The handler may therefore receive an id
 *   twice; the deduplication above removes the copy.
 * - A process receives only the channels to which it has subscribed (or their route, see `address.ts`).
 * - `close` waits a bounded time for pending publishes, and may be called twice. Afterwards `publish` and `subscribe`
 *   reject with `FanoutClosedError`, and the handler is not called again.
 *
 * Not promised: that there is a subscriber; the replay of publications without an id; the order within a channel after
 * the store has lost data, or for a backlog that exceeds the memory.
 */
export abstract class Fanout {
  /** Whether the handler may receive a publication twice. Then every publication needs an id. */
  abstract readonly repeats: boolean;
  abstract publish(publication: Publication): Promise<void>;
  abstract subscribe(channel: string): Promise<void>;
  abstract unsubscribe(channel: string): void;
  abstract close(): Promise<void>;
}
