import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Delivery, HistoryPage } from '../../../../delivery/index.js';
import { TimerWheel } from '../../../connection/timer-wheel.js';
import { PositionWatch, type Positioned } from './position-watch.js';

const INTERVAL_MS = 40_000;
const GRACE_MS = 1_000;

let now = 0;
let wheel: TimerWheel;
let top: HistoryPage;
let answer: Promise<HistoryPage>;
let reads: string[];
let watch: PositionWatch;

beforeEach(() => {
  now = 0;
  reads = [];
  top = { offset: 5, epoch: 'a', publications: [] };
  answer = Promise.resolve(top);
  wheel = new TimerWheel({ tickMs: 10, now: () => now });
  const delivery: Pick<Delivery, 'history'> = {
    history: (channel) => {
      reads.push(channel);
      return answer;
    },
  };
  watch = new PositionWatch(delivery as Delivery, wheel, { intervalMs: INTERVAL_MS });
});

afterEach(() => wheel.close());

async function elapse(ms: number): Promise<void> {
  for (const end = now + ms; now < end;) {
    now += 10;
    wheel.advance();
    await Promise.resolve();
  }
  for (let i = 0; i < 5; i++) await Promise.resolve();
}

function subscription(offset: number, epoch = 'a', channel = 'news') {
  return { channel, offset, epoch, loseState: jest.fn<() => void>() } satisfies Positioned;
}

describe('PositionWatch', () => {
  it('ignores subscriptions at the position of their channel', async () => {
    const subscriptions = [subscription(5), subscription(6)];
    for (const each of subscriptions) watch.add(each);
    await elapse(3 * INTERVAL_MS);
    for (const each of subscriptions) expect(each.loseState).not.toHaveBeenCalled();
  });

  it('reads a channel once for all of its subscribers', async () => {
    for (let i = 0; i < 100; i++) watch.add(subscription(5));
    watch.add(subscription(5, 'a', 'weather'));
    await elapse(INTERVAL_MS);
    expect(reads.toSorted()).toEqual(['news', 'weather']);
  });

  it.each([
    ['behind', subscription(4)],
    ['of another epoch', subscription(5, 'b')],
  ])('reports a lost position only to a subscription that is %s', async (_, behind) => {
    const fine = subscription(5);
    watch.add(behind);
    watch.add(fine);
    await elapse(INTERVAL_MS + GRACE_MS + 100);
    expect(behind.loseState).toHaveBeenCalledTimes(1);
    expect(fine.loseState).not.toHaveBeenCalled();
  });

  it('waits for a publication that is on its way', async () => {
    const late = { ...subscription(4) };
    watch.add(late);
    while (reads.length === 0) await elapse(100);
    late.offset = 5;
    await elapse(GRACE_MS + 100);
    expect(late.loseState).not.toHaveBeenCalled();
  });

  it('checks at once after an interruption', async () => {
    watch.add(subscription(5));
    watch.checkSoon('news');
    watch.checkSoon('unknown');
    await elapse(100);
    expect(reads).toEqual(['news']);
  });

  it.each([
    ['replies', false, (late: PromiseWithResolvers<HistoryPage>) => late.resolve(top)],
    ['fails', false, (late: PromiseWithResolvers<HistoryPage>) => late.reject(new Error('away'))],
    ['replies very late', true, (late: PromiseWithResolvers<HistoryPage>) => late.resolve(top)],
  ])('checks again after an interruption that comes before the store %s', async (_, isSooner, settle) => {
    const behind = subscription(4);
    const late = Promise.withResolvers<HistoryPage>();
    watch.add(behind);
    answer = late.promise;
    while (reads.length === 0) await elapse(100);
    watch.checkSoon('news');
    answer = Promise.resolve(top);
    if (isSooner) await elapse(100);
    settle(late);
    await elapse(0);
    await elapse(100);
    expect(reads).toHaveLength(2);
    await elapse(GRACE_MS + 100);
    expect(behind.loseState).toHaveBeenCalledTimes(1);
  });

  it('stops checking a channel without subscriptions', async () => {
    const [first, second] = [subscription(5), subscription(5)];
    watch.add(first);
    watch.add(second);
    watch.delete(first);
    await elapse(INTERVAL_MS);
    expect(reads).toHaveLength(1);
    watch.delete(second);
    watch.delete(second);
    await elapse(3 * INTERVAL_MS);
    expect(reads).toHaveLength(1);
    expect(second.loseState).not.toHaveBeenCalled();
  });
});
