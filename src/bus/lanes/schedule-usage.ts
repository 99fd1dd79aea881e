import { makeGaugeProvider } from '@willsoto/nestjs-prometheus';
import type { Gauge } from 'prom-client';
import { RegularMeasurement } from '../regular-measurement.js';
import type { Schedule } from '../schedule/schedule.port.js';

export const DELAYED_PENDING = 'carillon_delayed_pending';
export const DELAYED_PENDING_BYTES = 'carillon_delayed_pending_bytes';

export const scheduleUsageInstruments = [
  makeGaugeProvider({
    name: DELAYED_PENDING,
    help: 'Number of messages in the delayed lane: of all callers, and of those without an API key.',
    labelNames: ['callers'],
    // Worker processes share the lane.
    aggregator: 'max',
  }),
  makeGaugeProvider({
    name: DELAYED_PENDING_BYTES,
    help: 'Bytes of the messages in the delayed lane: of all callers, and of those without an API key.',
    labelNames: ['callers'],
    aggregator: 'max',
  }),
];

type UsageGauge = Gauge<'callers'>;

/** Measures regularly how full the delayed lane is. */
export function measureSchedule(
  schedule: Pick<Schedule, 'usage'>,
  pending: UsageGauge,
  pendingBytes: UsageGauge,
  everyMs: number,
): RegularMeasurement {
  return new RegularMeasurement(async () => {
    const { messages, bytes, anonymousMessages, anonymousBytes } = await schedule.usage();
    pending.set({ callers: 'all' }, messages);
    pending.set({ callers: 'anonymous' }, anonymousMessages);
    pendingBytes.set({ callers: 'all' }, bytes);
    pendingBytes.set({ callers: 'anonymous' }, anonymousBytes);
  }, everyMs);
}
