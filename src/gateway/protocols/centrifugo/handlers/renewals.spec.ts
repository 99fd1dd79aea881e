import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { refused, type RefreshDecision, type SubRefreshDecision } from '../../../auth/decisions.js';
import type { Session } from '../session/session.js';
import type { ClientSubscription } from '../subscriptions/client-subscription.js';
import type { HandlerDependencies } from './handler-dependencies.js';
import { Renewals } from './renewals.js';

const NOW_MS = 1_790_000_000_000;
const NOW = NOW_MS / 1_000;

let log: string[];

const session = () =>
  ({
    context: { connectionId: 'c' },
    user: 'ann',
    info: undefined,
    isRenewing: false,
    isOver: false,
    setExpiry: (expireAt: number) => log.push(`expires ${expireAt - NOW}`),
    close: ({ code }: { code: number }) => log.push(`close ${code}`),
    scheduleUpkeep: () => {},
  }) as unknown as Session;

const subscription = () =>
  ({
    channel: 'x',
    info: Buffer.from('"old"'),
    isOver: false,
    renew: ({ expireAt, info }: { expireAt: number; info?: Buffer }) =>
      log.push(`expires ${expireAt - NOW} ${String(info)}`),
    expire: () => log.push('expired'),
  }) as unknown as ClientSubscription;

/** Renews with this decision. Returns what happened. */
async function renew(
  decide: () => RefreshDecision | SubRefreshDecision | Promise<never>,
  start: (renewals: Renewals) => void,
): Promise<string[]> {
  const work: Promise<unknown>[] = [];
  const dependencies = {
    authorizer: { refresh: decide, subRefresh: decide },
    keepsMeta: true,
    inBackground: (each: Promise<unknown>) => work.push(each),
  } as unknown as HandlerDependencies;
  start(new Renewals(dependencies, { renewsConnections: true, renewsSubscriptions: () => true }));
  await Promise.all(work);
  return log;
}

const ofConnection = (decide: () => RefreshDecision | Promise<never>) =>
  renew(decide, (renewals) => renewals.renewConnection(session()));
const ofSubscription = (decide: () => SubRefreshDecision | Promise<never>) =>
  renew(decide, (renewals) => renewals.renewSubscription(session(), subscription()));

beforeEach(() => {
  log = [];
  jest.spyOn(Date, 'now').mockReturnValue(NOW_MS);
});
afterEach(() => void jest.restoreAllMocks());

describe('Renewals', () => {
  it.each([
    ['allowed for a time', { outcome: 'allowed', expireAt: NOW + 5 }, 'expires 5', 'expires 5 "old"'],
    ['allowed for ever', { outcome: 'allowed' }, `expires ${-NOW}`, `expires ${-NOW} "old"`],
    ['allowed until now', { outcome: 'allowed', expireAt: NOW }, 'close 3005', 'expired'],
    ['refused', refused('expired'), 'close 3005', 'expired'],
    ['an error', { outcome: 'error', code: 400, message: '' }, 'close 3005', 'expired'],
    ['not decided by anybody', { outcome: 'abstained' }, 'close 3005', 'expired'],
    ['a disconnect', { outcome: 'disconnect', code: 4_500, reason: '' }, 'close 4500', 'close 4500'],
    ['not possible now', refused('unavailable'), 'expires 60', 'expires 60 "old"'],
  ] as const)('carry out a decision that is %s', async (_, decision, connection, channel) => {
    expect(await ofConnection(() => decision)).toEqual([connection]);
    log = [];
    expect(await ofSubscription(() => decision)).toEqual([channel]);
  });

  it('ask again later if an authorizer fails', async () => {
    expect(await ofConnection(() => Promise.reject(new Error('late')))).toEqual(['expires 60']);
    log = [];
    const boom = () => {
      throw new Error('boom');
    };
    expect(await ofSubscription(boom)).toEqual(['expires 60 "old"']);
  });
});
