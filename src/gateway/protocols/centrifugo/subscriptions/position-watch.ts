import { Logger } from '@nestjs/common';
import type { Delivery, StreamPosition } from '../../../../delivery/index.js';
import { RepeatedWarning } from '../../../../limits/index.js';
import { type TimerWheel, WheelEntry } from '../../../connection/timer-wheel.js';

/** A subscription that is told where it stands in its channel. */
export interface Positioned {
  readonly channel: string;
  readonly offset: number;
  readonly epoch: string;
  /** Publications were lost on their way to it. */
  loseState(): void;
}

export interface PositionWatchOptions {
  /** How often each channel is looked at, in ms. */
  readonly intervalMs: number;
}

const warning = new RepeatedWarning(new Logger('PositionWatch'));

/** How long a publication may be on its way from the store to a subscription that is not taken for behind, in ms. */
const GRACE_MS = 1_000;
/** How many channels are looked at per ms when all of them are to be looked at at once. */
const HURRIED_PER_MS = 5;

/**
 * Compares the positions of the subscriptions on this process with those of their channels, from time to time and after an
 * interruption of the fan-out. The store is asked once per channel, however many subscribers there are.
 */
export class PositionWatch {
  readonly #channels = new Map<string, WatchedChannel>();

  constructor(
    private readonly delivery: Delivery,
    private readonly wheel: TimerWheel,
    private readonly options: PositionWatchOptions,
  ) {}

  add(subscription: Positioned): void {
    let watched = this.#channels.get(subscription.channel);
    if (watched === undefined) {
      watched = new WatchedChannel(subscription.channel, this.delivery, this.#schedule);
      this.#channels.set(subscription.channel, watched);
      // Spread, so that channels that came together are not looked at together.
      this.wheel.schedule(watched, this.options.intervalMs * (0.5 + Math.random() / 2));
    }
    watched.subscriptions.add(subscription);
  }

  delete(subscription: Positioned): void {
    const watched = this.#channels.get(subscription.channel);
    if (!watched?.subscriptions.delete(subscription) || watched.subscriptions.size > 0) return;
    this.#channels.delete(subscription.channel);
    this.wheel.cancel(watched);
  }

  /** Something may have been lost: looks at the channel at once, or soon if that goes for many. */
  hurry(channel: string): void {
    const watched = this.#channels.get(channel);
    if (watched === undefined) return;
    watched.suspects = undefined;
    this.wheel.schedule(watched, (Math.random() * this.#channels.size) / HURRIED_PER_MS);
  }

  readonly #schedule = (watched: WatchedChannel, delayMs = this.options.intervalMs): void => {
    if (watched.subscriptions.size > 0) this.wheel.schedule(watched, delayMs);
  };
}

class WatchedChannel extends WheelEntry {
  readonly subscriptions = new Set<Positioned>();
  /** Who seemed to be behind at the last look. What they lack may be on its way: it has a little time to arrive. */
  suspects: readonly Positioned[] | undefined;
  #top: StreamPosition | undefined;
  #looks = 0;

  constructor(
    private readonly channel: string,
    private readonly delivery: Delivery,
    private readonly schedule: (watched: WatchedChannel, delayMs?: number) => void,
  ) {
    super();
  }

  override due(): void {
    if (this.suspects === undefined) void this.#look();
    else this.#judge(this.suspects);
  }

  async #look(): Promise<void> {
    const look = ++this.#looks;
    try {
      const top = await this.delivery.history(this.channel, { limit: 0 });
      if (this.#isOutdated(look)) return;
      this.#top = top;
      const suspects = this.#behind(this.subscriptions);
      if (suspects.length > 0) {
        this.suspects = suspects;
        this.schedule(this, GRACE_MS);
        return;
      }
    } catch (error) {
      warning.warn(`the position of a channel could not be read: ${String(error)}`);
      if (this.#isOutdated(look)) return;
    }
    this.schedule(this);
  }

  /** There is a later look, or there will be one at once: what was read may be older than what was lost. */
  #isOutdated(look: number): boolean {
    return look !== this.#looks || this.next !== undefined;
  }

  #judge(suspects: readonly Positioned[]): void {
    this.suspects = undefined;
    for (const each of this.#behind(suspects)) if (this.subscriptions.has(each)) each.loseState();
    this.schedule(this);
  }

  #behind(subscriptions: Iterable<Positioned>): Positioned[] {
    const { epoch, offset } = this.#top!;
    const behind: Positioned[] = [];
    for (const each of subscriptions) if (each.epoch !== epoch || each.offset < offset) behind.push(each);
    return behind;
  }
}
