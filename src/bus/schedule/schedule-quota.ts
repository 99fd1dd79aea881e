import { ScheduleFullError, ScheduleQuotaError } from '../bus.errors.js';
import type { ScheduleLimits } from '../lanes/delayed-lane.options.js';
import type { ScheduleUsage } from './schedule.port.js';

/** What a message counts for. */
export interface ScheduleCost {
  readonly size: number;
  /** Absent or null: the sender has an API key. */
  readonly owner?: string | null | undefined;
}

/** The messages of one owner. */
export interface OwnerUsage {
  readonly owner: string | null;
  readonly messages: number;
  readonly bytes: number;
}

interface Amount {
  messages: number;
  bytes: number;
}

export type LimitReached = 'full' | 'anonymous_full' | 'quota';

/** Counts what a store of one process holds, and refuses what exceeds the limits. A store of several processes counts itself. */
export class ScheduleQuota {
  #all: Amount = { messages: 0, bytes: 0 };
  #anonymous: Amount = { messages: 0, bytes: 0 };
  #byOwner = new Map<string, Amount>();

  constructor(private readonly limits: ScheduleLimits) {}

  get usage(): ScheduleUsage {
    return {
      ...this.#all,
      anonymousMessages: this.#anonymous.messages,
      anonymousBytes: this.#anonymous.bytes,
    };
  }

  /** Replaces the counts with those of the store. */
  restore(owners: Iterable<OwnerUsage>): void {
    this.#all = { messages: 0, bytes: 0 };
    this.#anonymous = { messages: 0, bytes: 0 };
    this.#byOwner = new Map();
    for (const { owner, messages, bytes } of owners) this.#count(owner, messages, bytes);
  }

  /** Returns the limit that the message would exceed, or undefined if there is room. */
  limitFor({ size, owner }: ScheduleCost): LimitReached | undefined {
    const { maxPendingMessages, maxPendingBytes, anonymous } = this.limits;
    const exceeds = ({ messages, bytes }: Amount, maxMessages: number, maxBytes: number) =>
      messages + 1 > maxMessages || bytes + size > maxBytes;
    if (exceeds(this.#all, maxPendingMessages, maxPendingBytes)) return 'full';
    if (owner == null) return undefined;
    const own = this.#byOwner.get(owner) ?? { messages: 0, bytes: 0 };
    if (exceeds(own, anonymous.maxMessagesPerAddress, anonymous.maxBytesPerAddress)) return 'quota';
    const { messages, bytes } = anonymousPart(this.limits);
    return exceeds(this.#anonymous, messages, bytes) ? 'anonymous_full' : undefined;
  }

  add({ size, owner = null }: ScheduleCost): void {
    this.#count(owner, 1, size);
  }

  remove({ size, owner = null }: ScheduleCost): void {
    this.#count(owner, -1, -size);
  }

  #count(owner: string | null, messages: number, bytes: number): void {
    increase(this.#all, messages, bytes);
    if (owner === null) return;
    increase(this.#anonymous, messages, bytes);
    const own = this.#byOwner.get(owner) ?? { messages: 0, bytes: 0 };
    increase(own, messages, bytes);
    if (own.messages > 0) this.#byOwner.set(owner, own);
    else this.#byOwner.delete(owner);
  }
}

/** Returns how much callers without an API key may leave in the lane together. */
export function anonymousPart({ maxPendingMessages, maxPendingBytes, anonymous }: ScheduleLimits): Amount {
  const share = anonymous.maxSharePercent / 100;
  return { messages: Math.ceil(maxPendingMessages * share), bytes: Math.ceil(maxPendingBytes * share) };
}

/** Returns the error for a message that exceeds a limit. */
export function refusalOf(reached: LimitReached, limits: ScheduleLimits): Error {
  const { maxPendingMessages, maxPendingBytes, anonymous } = limits;
  switch (reached) {
    case 'full':
      return new ScheduleFullError(
        `the delayed lane is full: it holds at most ${maxPendingMessages} messages (maxPendingMessages) and ` +
          `${maxPendingBytes} bytes (maxPendingBytes)`,
      );
    case 'anonymous_full':
      return new ScheduleFullError(
        `the delayed lane has no more room for callers without an API key: they may fill ${anonymous.maxSharePercent} % of it ` +
          '(anonymous.maxSharePercent)',
      );
    case 'quota':
      return new ScheduleQuotaError(
        `your address has too many messages in the delayed lane: at most ${anonymous.maxMessagesPerAddress} messages ` +
          `(anonymous.maxMessagesPerAddress) and ${anonymous.maxBytesPerAddress} bytes (anonymous.maxBytesPerAddress) without an API key`,
      );
    default:
      return reached satisfies never;
  }
}

function increase(amount: Amount, messages: number, bytes: number): void {
  amount.messages += messages;
  amount.bytes += bytes;
}
