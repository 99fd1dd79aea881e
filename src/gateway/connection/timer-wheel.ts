/** Something that a {@link TimerWheel} holds. It is in one place at a time: scheduling it again moves it. */
export abstract class WheelEntry {
  /** Neighbours in the wheel's list; undefined while it is not scheduled. Kept here so that scheduling allocates nothing. */
  previous: WheelEntry | undefined;
  next: WheelEntry | undefined;
  dueTick = 0;

  /** Called once when the delay is over. */
  abstract due(): void;
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
  /** Resolution in ms: an entry is due at most this much late, and never early. */
  readonly tickMs?: number;
  /** Entries further away than `slots` ticks are passed over once a turn of the wheel. */
  readonly slots?: number;
  /** Monotonic time in ms. */
  readonly now?: () => number;
}

/**
 * One timer for any number of deadlines. To schedule and to cancel costs the same however many there are, and a tick
 * looks only at its own slot.
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

  /** By its own clock, which nobody sets. */
  get now(): number {
    return this.#now();
  }

  /**
   * Turns by itself from here on. Each step waits for the input of its event-loop turn: after a stall of the process,
   * the answers that came in meanwhile are read before their deadline is judged.
   */
  start(): void {
    this.#timer ??= setInterval(() => setImmediate(() => this.advance()), this.#tickMs).unref();
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

  /** Calls what has become due since the last time, in the order of the ticks. */
  advance(): void {
    const last = Math.floor((this.#now() - this.#startedAt) / this.#tickMs);
    // After a stall longer than a turn of the wheel, each slot is still visited once only.
    let tick = Math.max(this.#tick, last - this.#slots.length);
    this.#tick = last;
    while (tick < last) this.#collect(this.#slotOf(++tick), last);
    for (let entry = this.#expired.next!; entry !== this.#expired; entry = this.#expired.next!) {
      unlink(entry);
      entry.due();
    }
  }

  /** Moves what is due to a list of its own, as the calls to come may schedule and cancel at will. */
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
