import type { Publication } from './publication.js';

export type PublicationHandler = (publication: Publication) => void;

/**
 * Carries publications to every process that has a subscriber for their channel, this one included.
 *
 * Promised by every adapter:
 * - `publish` resolves when the store has taken the publication, and rejects with `BrokerUnavailableError` when it has not.
 * - `subscribe` resolves when what is published from then on reaches this process. Publications of one channel that one
 *   process published one after the other arrive in that order.
 * - After a lost connection every subscription is made again without a call from above, and publications with an
 *   id that were published meanwhile (up to `replayWindowMs` back) are handed over then. The handler may therefore see
 *   an id twice; the deduplication above it removes that.
 * - A process receives only the channels that it subscribed to (or their route, see `address.ts`).
 *
 * Not promised: that anybody was subscribed; replay of publications without an id; order across a reconnection.
 */
export abstract class Fanout {
  abstract publish(publication: Publication): Promise<void>;
  abstract subscribe(channel: string): Promise<void>;
  abstract unsubscribe(channel: string): void;
  abstract close(): Promise<void>;
}
