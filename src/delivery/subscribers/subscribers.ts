import { isReserved } from '../channels/address.js';
import type { Publication, StreamPosition } from '../publications/publication.js';
import type { Subscriber } from './subscriber.js';

/** Called when a subscriber throws, which its contract forbids. */
export type SubscriberFaultListener = (fault: unknown, channel: string) => void;

interface Channel {
  readonly subscribers: Set<Subscriber>;
  /** The position of the latest publication that is in the history. */
  position: StreamPosition | undefined;
}

/**
 * The subscribers on this process, by channel. The cost of attaching, detaching and finding subscribers does not depend
 * on the number of channels.
 */
export class Subscribers {
  readonly #channels = new Map<string, Channel>();
  readonly #onFault: SubscriberFaultListener;
  #publicChannels = 0;
  #publicAttachments = 0;

  constructor(onFault: SubscriberFaultListener) {
    this.#onFault = onFault;
  }

  /** Channels with at least one subscriber, without those that have a reserved name (users, connections, nodes). */
  get publicChannelCount(): number {
    return this.#publicChannels;
  }

  /** Pairs of such a channel and a subscriber. */
  get publicAttachmentCount(): number {
    return this.#publicAttachments;
  }

  /** Returns whether the pair is new. */
  attach(name: string, subscriber: Subscriber): boolean {
    const isPublic = !isReserved(name);
    let channel = this.#channels.get(name);
    if (channel === undefined) {
      this.#channels.set(name, (channel = { subscribers: new Set(), position: undefined }));
      if (isPublic) this.#publicChannels++;
    } else if (channel.subscribers.has(subscriber)) return false;
    channel.subscribers.add(subscriber);
    if (isPublic) this.#publicAttachments++;
    return true;
  }

  /** Returns whether the pair existed. */
  detach(name: string, subscriber: Subscriber): boolean {
    const channel = this.#channels.get(name);
    if (channel === undefined || !channel.subscribers.delete(subscriber)) return false;
    const isPublic = !isReserved(name);
    if (isPublic) this.#publicAttachments--;
    if (channel.subscribers.size === 0) {
      this.#channels.delete(name);
      if (isPublic) this.#publicChannels--;
    }
    return true;
  }

  has(channel: string): boolean {
    return this.#channels.has(channel);
  }

  /** Yields the number of subscribers of each channel. */
  *counts(): Generator<[string, number]> {
    for (const [name, { subscribers }] of this.#channels) yield [name, subscribers.size];
  }

  /**
   * Remembers the position of a publication that is in the history. Returns false if everything up to that position has
   * been delivered already.
   */
  advance({ channel: name, offset, epoch }: Publication): boolean {
    const channel = this.#channels.get(name);
    if (channel === undefined) return true;
    const { position } = channel;
    if (position !== undefined && position.epoch === epoch && position.offset >= offset) return false;
    channel.position = { offset, epoch };
    return true;
  }

  /**
   * Passes the publication to every subscriber of its channel and returns their number. A subscriber may attach and
   * detach itself or others in the meantime: one that is detached before its turn does not receive the publication, and
   * one that is attached may or may not receive it. The number at the beginning bounds the loop, so that it ends even
   * if a subscriber always detaches and attaches itself.
   */
  deliver(publication: Publication): number {
    return this.#each(publication.channel, (subscriber) => pass(publication, subscriber));
  }

  /** Notifies the subscribers of the affected channels that they may have missed something. */
  notifyInterrupted(isAffected: (channel: string) => boolean): void {
    for (const name of this.#channels.keys()) {
      if (isAffected(name)) this.#each(name, (subscriber) => subscriber.interrupted?.(name));
    }
  }

  #each(name: string, call: (subscriber: Subscriber) => void): number {
    const subscribers = this.#channels.get(name)?.subscribers;
    if (subscribers === undefined) return 0;
    const limit = subscribers.size;
    let served = 0;
    for (const subscriber of subscribers) {
      if (served === limit) break;
      served++;
      try {
        call(subscriber);
      } catch (fault) {
        this.#onFault(fault, name);
      }
    }
    return served;
  }
}

function pass(publication: Publication, subscriber: Subscriber): void {
  const { kind, info, channel } = publication;
  if (kind === 'join') subscriber.receiveJoin?.(info!, channel);
  else if (kind === 'leave') subscriber.receiveLeave?.(info!, channel);
  else subscriber.receive(publication);
}
