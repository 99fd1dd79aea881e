import type { Deduplication } from '../deduplication/deduplication.js';
import type { DeliveryMetrics } from '../delivery.metrics.js';
import type { Publication } from '../publications/publication.js';
import type { Subscribers } from './subscribers.js';

/** Takes what the fan-out hands to this process: drops what is too late or seen already, and delivers the rest. */
export class Dispatcher {
  constructor(
    private readonly subscribers: Subscribers,
    private readonly deduplication: Deduplication,
    private readonly metrics: DeliveryMetrics,
    private readonly now: () => number = Date.now,
  ) {}

  /**
   * Synchronous to the end: subscribers have the publication when it returns. A publication counts as seen only where there is
   * somebody to see it, so a copy by another path still reaches a client that came in between.
   */
  receive(publication: Publication): void {
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

  /** The connection to the store was lost and is restored. */
  interrupted(isAffected: (channel: string) => boolean): void {
    this.subscribers.interrupt(isAffected);
  }

  /** What has a place in the history was in time for it; left out, it would look like a loss. */
  #isExpired({ offset, expiresAt }: Publication): boolean {
    return offset === 0 && expiresAt !== undefined && expiresAt <= this.now();
  }

  /**
   * A place in the history tells what was handed over twice. The id also tells what came by two lanes, or has another place because
   * the store had lost the first one.
   */
  #isFirst(publication: Publication): boolean {
    const { id, channel, offset } = publication;
    if (offset > 0 && !this.subscribers.advance(publication)) return false;
    return id === undefined || this.deduplication.firstSight(id, channel);
  }
}
