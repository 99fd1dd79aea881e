import type { Deduplication } from '../deduplication/deduplication.js';
import type { DeliveryMetrics } from '../delivery.metrics.js';
import type { Publication } from '../publications/publication.js';
import type { Subscribers } from './subscribers.js';

/** Delivers the publications that the fan-out passes to this process. Drops expired ones and duplicates. */
export class Dispatcher {
  constructor(
    private readonly subscribers: Subscribers,
    private readonly deduplication: Deduplication,
    private readonly metrics: DeliveryMetrics,
    private readonly now: () => number = Date.now,
  ) {}

  /**
   * Synchronous: the subscribers have received the publication when it returns. A publication is only remembered if the
   * channel has a subscriber, so that a copy by another path still reaches a client that subscribes in between.
   */
  dispatch(publication: Publication): void {
    const { kind, channel, lane } = publication;
    if (kind !== 'message') {
      if (this.subscribers.has(channel) && this.#isFirst(publication)) this.subscribers.deliver(publication);
    } else if (this.#isExpired(publication)) this.metrics.expired[lane].inc();
    else if (!this.subscribers.has(channel)) this.metrics.noSubscriber[lane].inc();
    else if (!this.#isFirst(publication)) this.metrics.duplicate[lane].inc();
    else {
      this.subscribers.deliver(publication);
      this.metrics.delivered[lane].inc();
    }
  }

  /** Notifies the subscribers of the affected channels that the connection to the store was lost and is restored. */
  notifyInterrupted(isAffected: (channel: string) => boolean): void {
    this.subscribers.notifyInterrupted(isAffected);
  }

  /** A publication in the history was in time when it was stored. Dropping it would look like a loss. */
  #isExpired({ offset, expiresAt }: Publication): boolean {
    return offset === 0 && expiresAt !== undefined && expiresAt <= this.now();
  }

  /**
   * The position in the history identifies a publication that was passed on twice. The id also identifies one that
   * arrived by two lanes, or that has another position because the store lost the first one.
   */
  #isFirst(publication: Publication): boolean {
    const { id, channel, offset } = publication;
    if (offset > 0 && !this.subscribers.advance(publication)) return false;
    return id === undefined || this.deduplication.firstSight(id, channel);
  }
}
