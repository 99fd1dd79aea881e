import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { LedgerOptions, ScheduleLedger } from '../../../src/bus/schedule/schedule-ledger.port.js';
import { summaryOf } from '../../../src/bus/schedule/schedule-summary.js';
import { describeScheduleLimits } from './schedule-limits.contract.js';
import { roomy } from './schedule-limits.js';
import { messageIn } from './scheduled-messages.js';

/** The contract of the `ScheduleLedger` port, for every adapter. `open` resolves with an empty ledger with these options. */
export function describeLedger(
  name: string,
  open: (options: LedgerOptions) => Promise<ScheduleLedger>,
): void {
  describe(`${name} keeps the contract of ScheduleLedger`, () => {
    let ledger: ScheduleLedger;
    /** By default, no lease and no memory expires during a test. */
    const openLedger = async (options: Partial<LedgerOptions> = {}) => {
      ledger = await open({ ...roomy, leaseMs: 60_000, rememberMs: 60_000, ...options });
    };
    beforeEach(() => openLedger());
    const reopen = async (options: Partial<LedgerOptions>) => {
      await ledger.close();
      await openLedger(options);
    };
    afterEach(() => ledger.close());

    const pending = async (delayMs: number) => {
      const message = messageIn(delayMs);
      expect(await ledger.record(message)).toBe(true);
      await ledger.confirm(message.id);
      return message;
    };
    const claimed = async (id: string) => {
      const claim = await ledger.claim(id, randomUUID());
      if (claim.outcome !== 'claimed') throw new Error(`the claim is ${claim.outcome}`);
      return claim;
    };

    describeScheduleLimits(async (limits) => {
      await reopen(limits);
      return {
        add: async (message, owner) => {
          if (await ledger.record(message, owner)) await ledger.confirm(message.id);
        },
        cancel: (id) => ledger.cancel(id),
        usage: () => ledger.usage(),
      };
    });

    describe('record', () => {
      it('requests one copy of a message', async () => {
        const message = await pending(60_000);
        expect(await ledger.record(message)).toBe(false);
        expect(await ledger.find(message.id)).toEqual(message);
      });

      it('requests another copy until one is confirmed', async () => {
        const message = messageIn(60_000);
        expect(await ledger.record(message)).toBe(true);
        expect(await ledger.record(message)).toBe(true);
        await ledger.confirm(message.id);
        expect(await ledger.record(message)).toBe(false);
      });

      it('is undone when its only sender abandons it, and may be repeated', async () => {
        const message = messageIn(60_000);
        await ledger.record(message);
        await ledger.abandon(message.id);
        expect(await ledger.find(message.id)).toBeUndefined();
        expect(await ledger.claim(message.id, randomUUID())).toEqual({ outcome: 'gone' });
        expect(await ledger.record(message)).toBe(true);
        expect(await ledger.find(message.id)).toEqual(message);
      });

      it('is kept while another sender has not abandoned it', async () => {
        const message = messageIn(60_000);
        await ledger.record(message);
        await ledger.record(message);
        await ledger.abandon(message.id);
        expect(await ledger.find(message.id)).toEqual(message);
        await ledger.confirm(message.id);
        expect(await ledger.record(message)).toBe(false);
      });

      it('is forgotten if no copy is ever confirmed', async () => {
        const rememberMs = 300;
        await reopen({ rememberMs });
        const message = messageIn(-10);
        await ledger.record(message);
        await untilAfter(Date.now() + rememberMs);
        expect((await ledger.list({ limit: 10 })).messages).toEqual([]);
        expect(await ledger.find(message.id)).toBeUndefined();
      });
    });

    describe('claim', () => {
      it('is refused before the due time', async () => {
        const distant = await pending(60_000);
        expect(await ledger.claim(distant.id, randomUUID())).toMatchObject({
          outcome: 'early',
          dueAt: distant.dueAt,
        });
        const message = await pending(100);
        await untilAfter(message.dueAt);
        expect(await ledger.claim(message.id, randomUUID())).toMatchObject({
          outcome: 'claimed',
          dueAt: message.dueAt,
        });
      });

      it('is exclusive until its lease expires, and can be extended', async () => {
        const leaseMs = 3_000;
        await reopen({ leaseMs });
        const { id } = await pending(0);
        const { lease } = await claimed(id);
        const end = Date.now() + leaseMs;
        const other = await ledger.claim(id, randomUUID());
        expect(other).toMatchObject({ outcome: 'leased' });
        while (Date.now() <= end) {
          await untilAfter(Date.now() + 100);
          await ledger.extend(id, lease);
        }
        expect(await ledger.claim(id, randomUUID())).toMatchObject({ outcome: 'leased' });
        await untilAfter(Date.now() + leaseMs);
        expect((await claimed(id)).lease).toBeGreaterThan(lease);
      });

      it('stays in force for the whole lease if its holder died, and no longer', async () => {
        const leaseMs = 2_000;
        await reopen({ leaseMs });
        const { id } = await pending(0);
        const earliest = Date.now() + leaseMs;
        const { lease } = await claimed(id);
        let other = await ledger.claim(id, randomUUID());
        expect(other.outcome).toBe('leased');
        while (other.outcome === 'leased') {
          await untilAfter(Date.now() + 100);
          other = await ledger.claim(id, randomUUID());
        }
        expect(Date.now()).toBeGreaterThanOrEqual(earliest);
        expect(other).toMatchObject({ outcome: 'claimed', lease: lease + 1 });
      });

      it('returns the same lease if its caller repeats it', async () => {
        const { id } = await pending(0);
        const token = randomUUID();
        const claim = await ledger.claim(id, token);
        expect(claim).toMatchObject({ outcome: 'claimed' });
        expect(await ledger.claim(id, token)).toEqual(claim);
        expect(await ledger.claim(id, randomUUID())).toMatchObject({ outcome: 'leased' });
      });

      it('can be released by its holder only', async () => {
        const { id } = await pending(0);
        const first = await claimed(id);
        await ledger.release(id, first.lease);
        const second = await claimed(id);
        await ledger.release(id, first.lease);
        expect(await ledger.claim(id, randomUUID())).toMatchObject({ outcome: 'leased' });
        await ledger.release(id, second.lease);
        await claimed(id);
      });

      it('ends the pending state permanently', async () => {
        const message = await pending(0);
        const { lease } = await claimed(message.id);
        const isPending = async () => [
          await ledger.find(message.id),
          (await ledger.list({ limit: 1 })).messages[0],
          (await ledger.list({ limit: 1, channel: message.channel })).messages[0],
          (await ledger.cancel(message.id)) || undefined,
          await ledger.move(message.id, Date.now()),
        ];
        expect(await isPending()).toEqual(Array(5).fill(undefined));
        await ledger.release(message.id, lease);
        expect(await isPending()).toEqual(Array(5).fill(undefined));
        expect(await ledger.record(message)).toBe(false);
      });

      it('is granted to one of many concurrent callers', async () => {
        const { id } = await pending(0);
        const claims = await Promise.all(Array.from({ length: 20 }, () => ledger.claim(id, randomUUID())));
        expect(claims.filter(({ outcome }) => outcome === 'claimed')).toHaveLength(1);
      });

      it('and a cancellation never both succeed', async () => {
        const messages = await Promise.all(Array.from({ length: 50 }, () => pending(0)));
        for (const { id } of messages) {
          const [claim, cancelled] = await Promise.all([ledger.claim(id, randomUUID()), ledger.cancel(id)]);
          expect(claim.outcome).toBe(cancelled ? 'gone' : 'claimed');
        }
      });

      it('of an unknown message is granted to one caller', async () => {
        const { id } = messageIn(0);
        expect(await claimed(id)).not.toHaveProperty('dueAt');
        expect(await ledger.claim(id, randomUUID())).toMatchObject({ outcome: 'leased' });
        await ledger.settle(id);
        expect(await ledger.claim(id, randomUUID())).toEqual({ outcome: 'gone' });
      });

      it('can be made again after the holder gave it up', async () => {
        const rememberMs = 300;
        await reopen({ rememberMs });
        const { id } = await pending(0);
        await ledger.giveUp(id, (await claimed(id)).lease);
        await claimed(id);
        await untilAfter(Date.now() + rememberMs);
        expect((await ledger.claim(id, randomUUID())).outcome).toMatch(/leased|claimed/);
      });
    });

    describe('a finished message', () => {
      it('is remembered for a while after its last copy is due, and then forgotten', async () => {
        const rememberMs = 300;
        await reopen({ rememberMs });
        const moved = await pending(4_000);
        expect(await ledger.move(moved.id, moved.dueAt - 4_000)).toBe(moved.dueAt);
        await claimed(moved.id);
        await ledger.settle(moved.id);
        const cancelled = await pending(0);
        expect(await ledger.cancel(cancelled.id)).toBe(true);
        // If the time counted from when it was finished, it would be over.
        await untilAfter(Date.now() + rememberMs + 20);
        expect(await ledger.claim(moved.id, randomUUID())).toEqual({ outcome: 'gone' });
        await untilAfter(moved.dueAt + rememberMs + 20);
        expect(await ledger.record(moved)).toBe(true);
        expect(await ledger.record(cancelled)).toBe(true);
      });
    });

    describe('move', () => {
      it('returns the previous time, and the message has the new one', async () => {
        const message = await pending(60_000);
        const dueAt = message.dueAt + 60_000;
        expect(await ledger.move(message.id, dueAt)).toBe(message.dueAt);
        expect(await ledger.find(message.id)).toEqual({ ...message, dueAt });
        expect((await ledger.list({ limit: 1, channel: message.channel })).messages).toEqual([
          summaryOf({ ...message, dueAt }),
        ]);
      });

      it('does nothing if the message was moved by someone else meanwhile', async () => {
        const message = await pending(60_000);
        await ledger.move(message.id, message.dueAt + 2);
        expect(await ledger.move(message.id, message.dueAt, message.dueAt + 1)).toBeUndefined();
        expect(await ledger.move(message.id, message.dueAt, message.dueAt + 2)).toBe(message.dueAt + 2);
      });
    });

    describe('list', () => {
      it('returns pending messages by due time, then id, in pages, for all channels or for one', async () => {
        const messages = Array.from({ length: 23 }, (_, index) =>
          messageIn(60_000 + (index % 3), { channel: index % 2 ? 'odd' : 'even' }),
        );
        await Promise.all(messages.map((message) => ledger.record(message)));
        const sorted = messages
          .toSorted((a, b) => a.dueAt - b.dueAt || (a.id < b.id ? -1 : 1))
          .map(summaryOf);
        expect(await pages(ledger)).toEqual(sorted);
        expect(await pages(ledger, 'odd')).toEqual(sorted.filter(({ channel }) => channel === 'odd'));
        expect(await pages(ledger, 'none')).toEqual([]);
      });
    });
  });
}

async function pages(ledger: ScheduleLedger, channel?: string) {
  const messages = [];
  let cursor: string | undefined;
  do {
    const page = await ledger.list({
      limit: 5,
      ...(channel === undefined ? {} : { channel }),
      ...(cursor === undefined ? {} : { cursor }),
    });
    messages.push(...page.messages);
    cursor = page.next;
  } while (cursor !== undefined);
  return messages;
}

/** Resolves after this time. These tests are about time, so they wait for it. */
async function untilAfter(time: number): Promise<void> {
  await once(AbortSignal.timeout(Math.max(1, Math.ceil(time - Date.now()) + 1)), 'abort');
}
