import { delayedLaneOptions, type ScheduleLimits } from '../../../src/bus/lanes/delayed-lane.options.js';

/** Limits that no test reaches by accident. */
export const roomy: ScheduleLimits = delayedLaneOptions.parse({});

/** Few messages: callers without an API key may leave 2 of at most 10,000 bytes each, and 3 of the 5 together. */
export const tight: ScheduleLimits = {
  maxPendingMessages: 5,
  maxPendingBytes: 50_000,
  anonymous: { maxSharePercent: 60, maxMessagesPerAddress: 2, maxBytesPerAddress: 10_000 },
};
