import { every, reportFailure } from '../../async/index.js';
/** Something that a {@link TimerWheel} calls after a delay. It has one deadline at a time: scheduling it again replaces the deadline. */
export abstract class WheelEntry {
  /** Its neighbours in the wheel's list; undefined while it is not scheduled. They are kept here so that scheduling allocates nothing. */
  previous: WheelEntry | undefined;
  next: WheelEntry | undefined;
  dueTick = 0;

  /** Called once, when the delay is over. */
  abstract due(): void;
}

/** Calls a function after a delay, for what is rare. What is not rare extends {@link WheelEntry} itself. */
export class WheelCall extends WheelEntry {
  constructor(private readonly call: () => void) {
    super();
  }

  override due(): void {
    this.call();
  }
}

/** The head of a circular list. */
class Slot extends WheelEntry {
  constructor() {
    super();
    this.previous = this;
    this.next = this;
  }

  due(): void {}
}

export interface WheelOptions {
  /** Resolution in ms: an entry is called at most this much too late, and never too early. */
  readonly tickMs?: number;
  /** Number of slots. An entry that is more than `slots` ticks away is skipped once per turn of the wheel. */
  readonly slots?: number;
  /** Returns a monotonic time in ms. */
  readonly now?: () => number;
}

/**
 * One timer for any number of deadlines. Scheduling and cancelling take constant time, and a tick looks only at its own
 * slot.
 */
export class TimerWheel {
  readonly #slots: readonly Slot[];
  readonly #tickMs: number;
  readonly #now: () => number;
  readonly #expired = new Slot();
  readonly #startedAt: number;
  #tick = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor({ tickMs = 50, slots = 1024, now = () => performance.now() }: WheelOptions = {}) {
    this.#slots = Array.from({ length: slots }, () => new Slot());
    this.#tickMs = tickMs;
    this.#now = now;
    this.#startedAt = now();
  }

  /** The time of its monotonic clock, in ms. */
  get now(): number {
    return this.#now();
  }

  /**
   * Starts turning. Each step runs after the input of its event-loop turn: after the process has been suspended, answers
   * that arrived meanwhile are read before their deadlines are checked.
   */
  start(): void {
    this.#timer ??= every('deadlines of connections', this.#tickMs, () =>
      setImmediate(() => this.advance()),
    ).unref();
  }

  /** Stops turning and forgets every entry. */
  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const slot of this.#slots) while (slot.next !== slot) unlink(slot.next!);
  }

  schedule(entry: WheelEntry, delayMs: number): void {
    this.cancel(entry);
    const tick = Math.ceil((this.#now() - this.#startedAt + delayMs) / this.#tickMs);
    entry.dueTick = Math.max(tick, this.#tick + 1);
    append(this.#slotOf(entry.dueTick), entry);
  }

  cancel(entry: WheelEntry): void {
    if (entry.next !== undefined) unlink(entry);
  }

  /** Calls the entries that became due since the last call, in the order of their ticks. */
  advance(): void {
    const last = Math.floor((this.#now() - this.#startedAt) / this.#tickMs);
    // Each slot is visited once, even if more than a turn of the wheel has passed.
    let tick = Math.max(this.#tick, last - this.#slots.length);
    this.#tick = last;
    while (tick < last) this.#collect(this.#slotOf(++tick), last);
    for (let entry = this.#expired.next!; entry !== this.#expired; entry = this.#expired.next!) {
      unlink(entry);
      try {
        entry.due();
      } catch (error) {
        reportFailure('deadline of a connection', error);
      }
    }
  }

  /** Moves entries that are due to a separate list, because the calls may schedule and cancel others. */
  #collect(slot: Slot, last: number): void {
    let entry = slot.next!;
    while (entry !== slot) {
      const following = entry.next!;
      if (entry.dueTick <= last) {
        unlink(entry);
        append(this.#expired, entry);
      }
      entry = following;
    }
  }

  #slotOf(tick: number): Slot {
    return this.#slots[tick % this.#slots.length]!;
  }
}

function append(list: Slot, entry: WheelEntry): void {
  const last = list.previous!;
  entry.previous = last;
  entry.next = list;
  last.next = entry;
  list.previous = entry;
}

function unlink(entry: WheelEntry): void {
  entry.previous!.next = entry.next;
  entry.next!.previous = entry.previous;
  entry.previous = undefined;
  entry.next = undefined;
}
