import { describe, expect, it } from '@jest/globals';
import type { ScheduleUsage } from '../../../src/bus/index.js';
import type { ScheduleLimits } from '../../../src/bus/lanes/delayed-lane.options.js';
import type { ScheduledMessage } from '../../../src/message/index.js';
import { tight } from './schedule-limits.js';
import { messageIn } from './scheduled-messages.js';

/** What a schedule and a ledger promise alike. */
export interface LimitedStore {
  add(message: ScheduledMessage, owner?: string): Promise<unknown>;
  cancel(id: string): Promise<boolean>;
  usage(): Promise<ScheduleUsage>;
}

/** The limits of the `Schedule` and `ScheduleLedger` ports. `open` resolves with an empty store. */
export function describeScheduleLimits(open: (limits: ScheduleLimits) => Promise<LimitedStore>): void {
  describe('limits', () => {
    const later = (bytes = 1) =>
      messageIn(3_600_000, { data: Buffer.from(JSON.stringify('x'.repeat(bytes))) });
    const full = { code: 'schedule_full', retryable: true };
    const beyondQuota = { code: 'schedule_quota_exceeded', retryable: true };

    it('gives each caller without an API key a quota of messages and bytes', async () => {
      const store = await open(tight);
      await expect(store.add(later(10_000), 'a')).rejects.toMatchObject(beyondQuota);
      const first = later(7_000);
      await store.add(first, 'a');
      await expect(store.add(later(7_000), 'a')).rejects.toMatchObject(beyondQuota);
      await store.add(later(), 'a');
      const third = later();
      await expect(store.add(third, 'a')).rejects.toMatchObject(beyondQuota);
      await store.add(later(), 'b');
      // A message that is stored already takes no more room.
      await store.add(first, 'a');
      expect(await store.cancel(first.id)).toBe(true);
      await store.add(third, 'a');
    });

    it('reserves a part for callers with an API key', async () => {
      const store = await open(tight);
      for (const owner of ['a', 'b', 'c']) await store.add(later(), owner);
      await expect(store.add(later(), 'd')).rejects.toMatchObject(full);
      await store.add(later(20_000));
      await store.add(later());
      await expect(store.add(later())).rejects.toMatchObject(full);
    });

    it('is limited in bytes', async () => {
      const store = await open(tight);
      await store.add(later(40_000));
      await expect(store.add(later(10_000))).rejects.toMatchObject(full);
      await store.add(later(1_000));
    });

    it('admits no more when messages are added at the same time', async () => {
      const store = await open(tight);
      const added = await Promise.allSettled(Array.from({ length: 10 }, () => store.add(later(), 'a')));
      expect(added.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
    });

    it('reports what is used, and has counted nothing when it is empty', async () => {
      const store = await open(tight);
      const messages = [later(1_000), later(2_000), later(3_000)];
      for (const [index, message] of messages.entries()) await store.add(message, ['a', 'b'][index]);
      const usage = await store.usage();
      expect(usage).toMatchObject({ messages: 3, anonymousMessages: 2 });
      expect(usage.bytes).toBeGreaterThan(6_000);
      expect(usage.bytes).toBeLessThan(8_000);
      expect(usage.anonymousBytes).toBeGreaterThan(3_000);
      expect(usage.anonymousBytes).toBeLessThan(usage.bytes - 3_000);
      for (const { id } of messages) await store.cancel(id);
      const nothing = { messages: 0, bytes: 0, anonymousMessages: 0, anonymousBytes: 0 };
      expect(await store.usage()).toEqual(nothing);
    });
  });
}
