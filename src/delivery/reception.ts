import type { Deduplication } from './deduplication.js';
import type { DeliveryMetrics } from './delivery.metrics.js';
import type { Publication } from './publication.js';
import type { Subscribers } from './subscribers.js';

/** Takes what the fan-out hands to this process: drops what is too late or seen already, and delivers the rest. */
export class Reception {
  constructor(
    private readonly subscribers: Subscribers,
    private readonly deduplication: Deduplication,
    private readonly metrics: DeliveryMetrics,
    private readonly now: () => number = Date.now,
  ) {}

  /**
   * Synchronous to the end: subscribers have the publication when it returns. An id counts as seen only where there is
   * somebody to see it, so a copy by another path still reaches a client that came in between.
   */
  receive(publication: Publication): void {
    const { id, channel, lane, expiresAt } = publication;
    if (expiresAt !== undefined && expiresAt <= this.now()) this.metrics.expired[lane].inc();
    else if (!this.subscribers.has(channel)) this.metrics.noSubscriber[lane].inc();
    else if (id !== undefined && !this.deduplication.firstSight(id, channel))
      this.metrics.duplicate[lane].inc();
    else {
      this.subscribers.deliver(publication);
      this.metrics.delivered[lane].inc();
    }
  }
}
