import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  ChannelRules,
  channelsOptions,
  Publication,
  type Delivery,
  type HistoryEntry,
  type Presence,
  type ClientInfo,
} from '../../../../delivery/index.js';
import type { PublicationFields } from '../../../../delivery/publications/publication.js';
import { ClientSubscription } from './client-subscription.js';
import { jsonCodec } from '../codec/codecs.js';
import type { PositionWatch } from './position-watch.js';
import { PublicationFormats } from '../codec/publication-formats.js';
import type { SubscriptionHost, SubscriptionOwner, SubscriptionTerms } from './subscription-terms.js';
import { compileTagsFilter } from './tags-filter.js';

const EPOCH = 'abcdefgh';
const formats = new PublicationFormats(jsonCodec);

/** What was sent to the client and to the stores, in order. */
let log: string[];
let attached: PromiseWithResolvers<void>;
let history: HistoryEntry[];
let top: number;

const names = new Map([
  [formats.plain, 'plain'],
  [formats.whole, 'whole'],
  [formats.patch, 'patch'],
]);

const owner: SubscriptionOwner = {
  id: 'me',
  encoding: 'json',
  formats,
  clientInfo: (chanInfo) => ({ user: 'ann', client: 'me', ...(chanInfo && { chanInfo }) }),
  deliver: ({ data, format: dataFormat }, format) => {
    if (dataFormat === 'binary') return false;
    log.push(`${names.get(format)} ${data.toString()}`);
    return true;
  },
  leftOut: (_, count) => log.push(`left out ${count}`),
  push: (kind, channel, body) => log.push(`${kind} ${channel} ${JSON.stringify(body)}`),
  pushMovement: (kind, _, info) => log.push(`${kind} of ${info.client}`),
  close: ({ code }) => log.push(`close ${code}`),
  renewPresenceSoon: () => log.push('renew'),
  forget: (channel) => log.push(`forget ${channel}`),
};

const delivery = {
  attach: () => attached.promise,
  detach: () => log.push('detach'),
  history: () => Promise.resolve({ publications: history, offset: top, epoch: EPOCH }),
  publishJoin: (_: string, info: ClientInfo) => Promise.resolve(log.push(`joined ${info.client}`)),
  publishLeave: (_: string, info: ClientInfo) => Promise.resolve(log.push(`left ${info.client}`)),
};

const host: SubscriptionHost = {
  delivery: delivery as unknown as Delivery,
  presence: {
    add: () => Promise.resolve(log.push('enter')),
    remove: () => Promise.resolve(log.push('exit')),
  } as unknown as Presence,
  positions: {
    add: () => log.push('watch'),
    delete: () => {},
    checkSoon: () => log.push('check soon'),
  } as unknown as PositionWatch,
  options: { presenceTtlMs: 1, expiredSubCloseDelayMs: 1_000, recoveryMaxPublicationLimit: 10 },
  heldMaxBytes: 1_000,
  inBackground: (work) => void work,
};

const rule = new ChannelRules(channelsOptions.parse({})).find('news');
const nothing = {
  presence: false,
  joinLeave: false,
  pushJoinLeave: false,
  positioning: false,
  recovery: false,
};

function subscription(terms: Partial<SubscriptionTerms> = {}): ClientSubscription {
  const defaults = { serverSide: false, grantedAtConnect: false, info: undefined, expireAt: 0, delta: false };
  const base = { channel: 'news', rule, features: nothing, filter: undefined, ...defaults };
  return new ClientSubscription({ ...base, ...terms } as SubscriptionTerms, owner, host);
}

const positioned = { ...nothing, positioning: true, recovery: true };

function publication(data: string, extras: Partial<PublicationFields> = {}): Publication {
  const previous = extras.delta ? { previous: Buffer.from('"before"') } : {};
  return new Publication({
    channel: 'news',
    data: Buffer.from(data),
    format: 'json',
    createdAt: 0,
    lane: 'direct',
    epoch: extras.offset === undefined ? '' : EPOCH,
    ...previous,
    ...extras,
  });
}

/** A subscription that is live. */
async function live(terms: Partial<SubscriptionTerms> = {}): Promise<ClientSubscription> {
  const made = subscription(terms);
  await made.begin(undefined);
  made.goLive();
  log.length = 0;
  return made;
}

beforeEach(() => {
  log = [];
  history = [];
  top = 0;
  attached = Promise.withResolvers();
  attached.resolve();
});

describe('the beginning of a subscription', () => {
  it('holds publications until the reply was sent', async () => {
    const made = subscription();
    const begun = made.begin(undefined);
    made.receive(publication('1'));
    await begun;
    made.receive(publication('2'));
    expect(log).toEqual([]);
    made.goLive();
    made.receive(publication('3'));
    expect(log).toEqual(['plain 1', 'plain 2', 'plain 3']);
  });

  it('sends each publication once, with the reply or after it', async () => {
    attached = Promise.withResolvers();
    const made = subscription({ features: positioned });
    const begun = made.begin({ offset: 1, epoch: EPOCH });
    for (const offset of [2, 3, 4]) made.receive(publication(String(offset), { offset }));
    history = [2, 3].map((offset) => ({
      offset,
      data: Buffer.from(String(offset)),
      format: 'json',
      createdAt: 0,
    }));
    top = 3;
    attached.resolve();
    const result = await begun;
    expect(result).toMatchObject({ recovered: true, wasRecovering: true, offset: 1, epoch: EPOCH });
    expect(result.publications?.map(({ offset }) => offset)).toEqual([2, 3]);
    made.goLive();
    expect(log).toEqual(['plain 4', 'watch']);
  });

  it('enters the presence before the join, and leaves it before the leave', async () => {
    const made = subscription({
      features: { ...nothing, presence: true, joinLeave: true, pushJoinLeave: true },
    });
    await made.begin(undefined);
    made.receiveJoin({ user: '', client: 'early' });
    expect(log).toEqual(['enter']);
    made.goLive();
    made.receiveJoin({ user: '', client: 'other' });
    made.end();
    made.receiveLeave({ user: '', client: 'other' });
    made.end();
    expect(log.slice(1)).toEqual(['joined me', 'join of other', 'detach', 'exit', 'left me', 'forget news']);
  });

  it('publishes no join if it ends before it is live', async () => {
    attached = Promise.withResolvers();
    const made = subscription({ features: { ...nothing, presence: true, joinLeave: true } });
    const begun = made.begin(undefined);
    made.end();
    attached.resolve();
    await begun;
    expect(log).toEqual(['detach', 'exit', 'forget news']);
    expect(made.isLive).toBe(false);
  });

  it.each([
    ['many', Array<string>(11).fill('1')],
    ['large', ['x'.repeat(500), 'x'.repeat(500)]],
  ])('ends if the publications to hold are too %s', async (_, data) => {
    const made = subscription();
    for (const each of data) made.receive(publication(each));
    made.receive(publication('more'));
    await made.begin(undefined);
    made.goLive();
    expect(log.at(-1)).toContain('unsubscribe news {"code":2500');
    expect(log).not.toContain('plain more');
  });

  it('holds a single publication of any size', async () => {
    const made = subscription();
    made.receive(publication('x'.repeat(5_000)));
    await made.begin(undefined);
    made.goLive();
    expect(log).toEqual([`plain ${'x'.repeat(5_000)}`]);
  });
});

describe('the position of a subscription', () => {
  it('skips publications that the client has', async () => {
    top = 5;
    const made = await live({ features: positioned });
    for (const offset of [4, 5, 6, 6, 7]) made.receive(publication(String(offset), { offset }));
    expect(log).toEqual(['plain 6', 'plain 7']);
    expect(made.offset).toBe(7);
  });

  it.each([
    ['a gap', { offset: 7 }],
    ['another epoch', { offset: 6, epoch: 'zzzzzzzz' }],
  ])('ends the subscription at %s, so that the client subscribes again', async (_, extras) => {
    top = 5;
    const made = await live({ features: positioned });
    made.receive(publication('x', extras));
    expect(log).toEqual([
      'detach',
      'forget news',
      'unsubscribe news {"code":2500,"reason":"insufficient state"}',
    ]);
    made.receive(publication('y', { offset: 8 }));
    expect(log).toHaveLength(3);
  });

  it('closes the connection if the server made the subscription', async () => {
    const made = await live({ features: positioned, serverSide: true });
    made.receive(publication('x', { offset: 7 }));
    expect(log).toEqual(['close 3010']);
  });

  it('advances with publications that the filter drops', async () => {
    const filter = compileTagsFilter({ op: '', key: 't', cmp: 'eq', val: 'x', vals: [], nodes: [] });
    const made = await live({ features: positioned, filter });
    for (const [n, t] of ['y', 'x', 'y', 'x'].entries())
      made.receive(publication(String(n), { offset: n + 1, tags: { t } }));
    expect(log).toEqual(['plain 1', 'plain 3']);
  });

  it('delivers publications that are not kept', async () => {
    top = 5;
    const made = await live({ features: positioned });
    made.receive(publication('1'));
    made.receive(publication('2', { offset: 6 }));
    expect(log).toEqual(['plain 1', 'plain 2']);
  });

  it('is checked after an interruption', async () => {
    (await live({ features: positioned })).interrupted();
    (await live()).interrupted();
    expect(log).toEqual([]);
    (await live({ features: positioned })).interrupted();
    expect(log).toEqual(['check soon']);
  });

  it('enters the presence again after an interruption', async () => {
    (await live({ features: { ...nothing, presence: true } })).interrupted();
    expect(log).toEqual(['renew']);
  });
});

describe('a subscription with deltas', () => {
  it('sends patches only from a publication that the client has', async () => {
    top = 5;
    const made = await live({ features: positioned, delta: true });
    made.receive(publication('a', { offset: 6, delta: true }));
    made.receive(publication('b', { offset: 7, delta: true }));
    made.receive(publication('c'));
    made.receive(publication('d', { offset: 8, delta: true }));
    made.receive(publication('e', { offset: 9, delta: true }));
    expect(log).toEqual(['whole a', 'patch b', 'whole c', 'whole d', 'patch e']);
  });
});

describe('the expiry of a subscription', () => {
  it('comes after a grace period', async () => {
    const made = await live({ expireAt: 100 });
    expect(made.endsAt).toBe(101_000);
    made.expire();
    expect(log.at(-1)).toBe('unsubscribe news {"code":2501,"reason":"subscription expired"}');
    expect((await live()).endsAt).toBe(Infinity);
  });

  it('closes the connection if the server made the subscription', async () => {
    (await live({ expireAt: 100, serverSide: true })).expire();
    expect(log).toEqual(['close 3006']);
  });
});

describe('publications that the encoding of the client cannot carry', () => {
  const binary = { format: 'binary', delta: true } as const;

  it('are left out of a recovery, which is complete without them', async () => {
    history = [1, 2, 3].map((offset) => ({
      offset,
      data: Buffer.from(offset === 2 ? [0xff] : `"${offset}"`),
      format: offset === 2 ? 'binary' : 'json',
    })) as HistoryEntry[];
    top = 3;
    const made = subscription({ features: positioned });
    const result = await made.begin({ offset: 0, epoch: EPOCH });
    expect(result).toMatchObject({ recovered: true, offset: 0 });
    expect(result.publications?.map(({ offset }) => offset)).toEqual([1, 3]);
    expect(log).toEqual(['left out 1']);
    made.goLive();
    made.receive(publication('"4"', { offset: 4 }));
    expect(log.at(-1)).toBe('plain "4"');
  });

  it('advance the position of a client that recovers nothing else', async () => {
    history = [{ offset: 1, data: Buffer.of(0xff), format: 'binary' }] as HistoryEntry[];
    top = 1;
    const result = await subscription({ features: positioned }).begin({ offset: 0, epoch: EPOCH });
    expect(result).toMatchObject({ recovered: true, offset: 1, publications: [] });
  });

  it('advance the position of a live subscription, and are no base of a patch', async () => {
    const made = await live({ features: positioned, delta: true });
    made.receive(publication('"1"', { offset: 1, delta: true }));
    made.receive(publication('bytes', { ...binary, offset: 2 }));
    made.receive(publication('"3"', { offset: 3, delta: true }));
    made.receive(publication('"4"', { offset: 4, delta: true }));
    expect(log).toEqual(['whole "1"', 'whole "3"', 'patch "4"']);
    expect(made.offset).toBe(4);
  });
});
