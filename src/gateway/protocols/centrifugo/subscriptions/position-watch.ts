import { Logger } from '@nestjs/common';
import { inBackground } from '../../../../async/index.js';
import type { Delivery, StreamPosition } from '../../../../delivery/index.js';
import { RepeatedWarning } from '../../../../limits/index.js';
import { type TimerWheel, WheelEntry } from '../../../connection/timer-wheel.js';

/** A subscription with a position. */
export interface Positioned {
  readonly channel: string;
  readonly offset: number;
  readonly epoch: string;
  /** Called if publications were lost on their way to it. */
  loseState(): void;
}

export interface PositionWatchOptions {
  /** How often each channel is checked, in ms. */
  readonly intervalMs: number;
}

const warning = new RepeatedWarning(new Logger('PositionWatch'));

/** How long a publication may be on its way from the store to a subscription, in ms. */
const GRACE_MS = 1_000;
/** How many channels are checked per ms after an interruption. */
const CHECKED_PER_MS = 5;

/**
 * Compares the positions of the subscriptions on this process with the positions of their channels, periodically and after an
 * interruption of the fan-out. It reads each channel once, whatever the number of subscribers.
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
      // Random, so that channels that were added together are not checked together.
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

  /** Checks a channel at once because publications may have been lost, or soon if there are many channels. */
  checkSoon(channel: string): void {
    const watched = this.#channels.get(channel);
    if (watched === undefined) return;
    watched.lagging = undefined;
    this.wheel.schedule(watched, (Math.random() * this.#channels.size) / CHECKED_PER_MS);
  }

  readonly #schedule = (watched: WatchedChannel, delayMs = this.options.intervalMs): void => {
    if (watched.subscriptions.size > 0) this.wheel.schedule(watched, delayMs);
  };
}

class WatchedChannel extends WheelEntry {
  readonly subscriptions = new Set<Positioned>();
  /** Subscriptions that were behind at the last check. The missing publications may still arrive within the grace period. */
  lagging: readonly Positioned[] | undefined;
  #top: StreamPosition | undefined;
  #checks = 0;

  constructor(
    private readonly channel: string,
    private readonly delivery: Delivery,
    private readonly schedule: (watched: WatchedChannel, delayMs?: number) => void,
  ) {
    super();
  }

  override due(): void {
    if (this.lagging === undefined) inBackground('check of a position', () => this.#check());
    else this.#endLagging(this.lagging);
  }

  async #check(): Promise<void> {
    const check = ++this.#checks;
    try {
      const top = await this.delivery.history(this.channel, { limit: 0 });
      if (this.#isOutdated(check)) return;
      this.#top = top;
      const lagging = this.#behind(this.subscriptions);
      if (lagging.length > 0) {
        this.lagging = lagging;
        this.schedule(this, GRACE_MS);
        return;
      }
    } catch (error) {
      warning.warn(`could not read the position of a channel, retrying later: ${String(error)}`);
      if (this.#isOutdated(check)) return;
    }
    this.schedule(this);
  }

  /** Whether a later check has begun or is due at once: the position that was read may be older than the lost publication. */
  #isOutdated(check: number): boolean {
    return check !== this.#checks || this.next !== undefined;
  }

  #endLagging(lagging: readonly Positioned[]): void {
    this.lagging = undefined;
    for (const each of this.#behind(lagging)) if (this.subscriptions.has(each)) each.loseState();
    this.schedule(this);
  }

  #behind(subscriptions: Iterable<Positioned>): Positioned[] {
    const { epoch, offset } = this.#top!;
    const behind: Positioned[] = [];
    for (const each of subscriptions) if (each.epoch !== epoch || each.offset < offset) behind.push(each);
    return behind;
  }
}
