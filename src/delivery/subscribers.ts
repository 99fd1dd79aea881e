import type { Publication } from './publication.js';
import type { Subscriber } from './subscriber.js';

/** Told of a subscriber whose `receive` threw, which its contract forbids. */
export type SubscriberFaultListener = (fault: unknown, publication: Publication) => void;

/**
 * The subscribers on this process, by channel. Attaching, detaching and finding the subscribers of a channel cost the
 * same whatever the number of channels.
 */
export class Subscribers {
  readonly #byChannel = new Map<string, Set<Subscriber>>();
  readonly #onFault: SubscriberFaultListener;
  #attachments = 0;

  constructor(onFault: SubscriberFaultListener) {
    this.#onFault = onFault;
  }

  /** Channels with at least one subscriber. */
  get channelCount(): number {
    return this.#byChannel.size;
  }

  /** Pairs of a channel and a subscriber. */
  get attachmentCount(): number {
    return this.#attachments;
  }

  /** Answers whether the pair is new. */
  attach(channel: string, subscriber: Subscriber): boolean {
    let subscribers = this.#byChannel.get(channel);
    if (subscribers === undefined) this.#byChannel.set(channel, (subscribers = new Set()));
    else if (subscribers.has(subscriber)) return false;
    subscribers.add(subscriber);
    this.#attachments++;
    return true;
  }

  /** Answers whether the pair was there. */
  detach(channel: string, subscriber: Subscriber): boolean {
    const subscribers = this.#byChannel.get(channel);
    if (subscribers === undefined || !subscribers.delete(subscriber)) return false;
    this.#attachments--;
    if (subscribers.size === 0) this.#byChannel.delete(channel);
    return true;
  }

  has(channel: string): boolean {
    return this.#byChannel.has(channel);
  }

  /**
   * Hands the publication to every subscriber of its channel and answers how many there were. A subscriber may
   * attach and detach itself or others meanwhile: who is detached before its turn is left out, and who is attached may
   * or may not be served. The loop is bounded by the number at its beginning, so that a subscriber that leaves and comes
   * back while it receives is not served for ever.
   */
  deliver(publication: Publication): number {
    const subscribers = this.#byChannel.get(publication.channel);
    if (subscribers === undefined) return 0;
    const limit = subscribers.size;
    let served = 0;
    for (const subscriber of subscribers) {
      if (served === limit) break;
      served++;
      try {
        subscriber.receive(publication);
      } catch (fault) {
        this.#onFault(fault, publication);
      }
    }
    return served;
  }
}
