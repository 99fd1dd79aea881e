import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LeaseEndedError, type RegisteredConnection, type Registry } from '../../../src/delivery/index.js';
import { type Elapse, retryWhenSlow } from '../../support/retry-when-slow.js';

export interface RegistrySubject {
  open(): Promise<{ readonly registry: Registry; close(): Promise<void> }>;
  readonly elapse: Elapse;
}

const LONG_MS = 600_000;

/** The contract of the `Registry` port, for every adapter. The subject has no connections when it is prepared. */
export function describeRegistry(name: string, prepare: () => Promise<RegistrySubject>): void {
  describe(`${name} keeps the contract of Registry`, () => {
    const opened: { close(): Promise<void> }[] = [];
    let subject: RegistrySubject;
    let registry: Registry;
    let other: Registry;
    let [a, b] = ['', ''];

    const open = async () => {
      const node = await subject.open();
      opened.push(node);
      return node.registry;
    };
    const connection = (id: string, node: string, route = 'chat'): RegisteredConnection => ({
      id,
      node,
      route,
      connectedAt: 1_700_000_000_123,
      details: Buffer.from([0, 255, ...Buffer.from(id)]),
    });
    const idsOf = (found: readonly RegisteredConnection[]) => found.map(({ id }) => id).toSorted();
    const list = async (route?: string) =>
      idsOf(await registry.list({ limit: 100, ...(route === undefined ? {} : { route }) }));

    beforeEach(async () => {
      subject = await prepare();
      [registry, other] = [await open(), await open()];
      [a, b] = [`a${randomBytes(4).toString('hex')}`, `b${randomBytes(4).toString('hex')}`];
      for (const node of [a, b]) await registry.renew(node, LONG_MS);
    });
    afterEach(async () => {
      for (const node of [a, b]) await registry.release(node).catch(() => {});
      await Promise.all(opened.splice(0).map((node) => node.close()));
    });

    it('finds, lists and counts connections, byte for byte', async () => {
      expect([await registry.find('x'), await list(), await registry.count()]).toEqual([undefined, [], 0]);
      const all = [connection('1', a), connection('3', b, 'ünï:x'), connection('2', b)];
      for (const each of all) await registry.add(each);
      expect(await other.find('3')).toEqual(all[1]);
      expect(await other.list({ limit: 100 })).toEqual([all[0], all[2], all[1]]);
      expect(await other.list({ limit: 1, after: '1' })).toEqual([all[2]]);
      expect(await list('chat')).toEqual(['1', '2']);
      expect(await list('ünï:x')).toEqual(['3']);
      expect(await list('none')).toEqual([]);
      expect([await other.count(), await other.count('chat'), await other.count('none')]).toEqual([3, 2, 0]);
    });

    it('gives a cleanup to one node, which may ask again', async () => {
      await registry.add(connection('1', a));
      const claims = await Promise.all([registry.claim('1', a), other.claim('1', b)]);
      expect(claims.filter(Boolean)).toHaveLength(1);
      const [winner, loser] = claims[0] ? [a, b] : [b, a];
      expect([await registry.claim('1', winner), await registry.claim('1', loser)]).toEqual([true, false]);
      expect(await registry.claim('unknown', a)).toBe(false);
      expect([await registry.find('1'), await list(), await registry.count('chat')]).toEqual([
        undefined,
        [],
        0,
      ]);
    });

    it('forgets what is removed, claimed or not', async () => {
      for (const id of ['1', '2']) await registry.add(connection(id, a));
      await registry.claim('1', a);
      for (const id of ['1', '2', 'unknown']) await registry.remove(id);
      expect([await registry.find('2'), await list(), await registry.count()]).toEqual([undefined, [], 0]);
      expect(await registry.claim('1', a)).toBe(false);
      expect(await registry.unfinished(a, 10)).toEqual([]);
      await registry.release(a);
      expect(await other.claimOrphans(b, 10)).toEqual([]);
    });

    it('shows a node what it has claimed and not removed', async () => {
      for (const id of ['1', '2', '3']) await registry.add(connection(id, a));
      for (const id of ['1', '2']) await registry.claim(id, a);
      expect(idsOf(await registry.unfinished(a, 10))).toEqual(['1', '2']);
      expect(await registry.unfinished(a, 1)).toHaveLength(1);
      expect(await registry.unfinished(b, 10)).toEqual([]);
    });

    it('gives each connection of a node that is gone to one other node, also those that it had claimed', async () => {
      const ids = Array.from({ length: 20 }, (_, number) => `${number}`);
      for (const id of ids) await registry.add(connection(id, a, id === '7' ? 'other' : 'chat'));
      await registry.claim('3', a);
      expect(await registry.claimOrphans(b, 100)).toEqual([]);
      await registry.release(a);
      const c = `c${b}`;
      await registry.renew(c, LONG_MS);
      const taken = await Promise.all([registry.claimOrphans(b, 7), other.claimOrphans(c, 8)]);
      expect(taken.map(({ length }) => length)).toEqual([7, 8]);
      const rest = await other.claimOrphans(c, 100);
      expect(idsOf([...taken.flat(), ...rest])).toEqual(ids.toSorted());
      expect(taken.flat()[0]).toEqual(connection(taken.flat()[0]!.id, a, taken.flat()[0]!.route));
      expect(await registry.claimOrphans(b, 100)).toEqual([]);
      expect([await registry.count(), await registry.count('other')]).toEqual([0, 0]);
      expect(idsOf(await registry.unfinished(b, 100))).toEqual(idsOf(taken[0]));
      await registry.release(c);
      expect(await registry.claimOrphans(b, 100)).toHaveLength(13);
      for (const id of ids) await registry.remove(id);
    });

    it('tells a node whether its connections are still its own', async () => {
      expect(await registry.renew(`new-${a}`, LONG_MS)).toBe(false);
      expect(await registry.renew(a, LONG_MS)).toBe(true);
      await registry.add(connection('1', a));
      // Nobody has noticed that the lease had ended.
      await registry.release(a);
      expect(await registry.renew(a, LONG_MS)).toBe(true);
      expect(await registry.find('1')).toBeDefined();
      await registry.release(a);
      await other.claimOrphans(b, 10);
      expect(await registry.renew(a, LONG_MS)).toBe(false);
      expect(await registry.claim('1', a)).toBe(false);
      await registry.remove('1');
      await registry.release(`new-${a}`);
      await registry.claimOrphans(b, 10);
    });

    it('refuses what needs a lease without one', async () => {
      const none = `none-${a}`;
      for (const call of [
        () => registry.add(connection('1', none)),
        () => registry.claim('1', none),
        () => registry.claimOrphans(none, 1),
        () => registry.unfinished(none, 1),
      ])
        await expect(call()).rejects.toThrow(LeaseEndedError);
      expect(await registry.count()).toBe(0);
    });

    it('ends a lease that is not renewed, and not before', async () => {
      await retryWhenSlow(400, subject.elapse, async (leaseMs, elapse) => {
        await registry.renew(a, leaseMs);
        await registry.add(connection('1', a));
        await elapse(leaseMs / 2);
        expect(await other.claimOrphans(b, 10)).toEqual([]);
        await registry.renew(a, leaseMs);
        await elapse(leaseMs / 2);
        expect(await other.claimOrphans(b, 10)).toEqual([]);
        await elapse(leaseMs);
        expect(idsOf(await other.claimOrphans(b, 10))).toEqual(['1']);
        await registry.remove('1');
      });
    });
  });
}
