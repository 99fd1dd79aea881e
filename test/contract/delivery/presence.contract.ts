import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Presence, ClientInfo } from '../../../src/delivery/index.js';
import { type Elapse, retryWhenSlow } from '../../support/retry-when-slow.js';

export interface PresenceSubject {
  open(): Promise<{ readonly presence: Presence; close(): Promise<void> }>;
  readonly elapse: Elapse;
  /** Whether several nodes share the store. */
  readonly isShared: boolean;
}

const TTL_MS = 60_000;
const freshChannel = () => `presence-${randomBytes(4).toString('hex')}`;
const client = (id: string, user = 'u', rest: Partial<ClientInfo> = {}): ClientInfo => ({
  user,
  client: id,
  ...rest,
});

/** The contract of the `Presence` port, for every adapter. */
export function describePresence(name: string, prepare: () => Promise<PresenceSubject>): void {
  describe(`${name} keeps the contract of Presence`, () => {
    const opened: { close(): Promise<void> }[] = [];
    let subject: PresenceSubject;
    let presence: Presence;
    let channel: string;
    const open = async () => {
      const node = await subject.open();
      opened.push(node);
      return node.presence;
    };
    const ids = async () =>
      [...(await presence.members(channel)).keys()].toSorted((a, b) => a.localeCompare(b));

    beforeEach(async () => {
      subject = await prepare();
      presence = await open();
      channel = freshChannel();
    });
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((node) => node.close()));
    });

    it('returns nobody for an unused channel', async () => {
      expect(await presence.members(channel)).toEqual(new Map());
      expect(await presence.stats(channel)).toEqual({ clients: 0, users: 0 });
      await presence.remove(channel, 'nobody');
    });

    it('refuses a list that is larger than its caller accepts', async () => {
      for (const id of ['a', 'b', 'c'])
        await presence.add(channel, client(id, 'u', { connInfo: Buffer.alloc(1_000, 'x') }), TTL_MS);
      expect((await presence.members(channel, 4_000)).size).toBe(3);
      await expect(presence.members(channel, 3_000)).rejects.toMatchObject({ code: 'presence_too_large' });
      expect(await presence.stats(channel)).toEqual({ clients: 3, users: 1 });
    });

    it('returns all clients with their info', async () => {
      const infos = [
        client('a', 'u1', { connInfo: Buffer.from('{"name":"ü🔔"}'), chanInfo: Buffer.from('1') }),
        client('b', '', { connInfo: Buffer.from([0, 255]) }),
        client('c', 'u1', { chanInfo: Buffer.from('[]') }),
      ];
      for (const info of infos) await presence.add(channel, info, TTL_MS);
      expect(await presence.members(channel)).toEqual(new Map(infos.map((info) => [info.client, info])));
      expect(await presence.stats(channel)).toEqual({ clients: 3, users: 2 });
      expect(await presence.stats(`${channel}'`)).toEqual({ clients: 0, users: 0 });
    });

    it('removes a client immediately', async () => {
      await presence.add(channel, client('a', 'u1'), TTL_MS);
      await presence.add(channel, client('b', 'u1'), TTL_MS);
      await presence.remove(channel, 'a');
      await presence.remove(channel, 'a');
      expect(await ids()).toEqual(['b']);
      expect(await presence.stats(channel)).toEqual({ clients: 1, users: 1 });
      await presence.remove(channel, 'b');
      expect(await presence.stats(channel)).toEqual({ clients: 0, users: 0 });
    });

    it('replaces the info and the user of a client', async () => {
      await presence.add(channel, client('a', 'u1'), TTL_MS);
      const later = client('a', 'u2', { connInfo: Buffer.from('2') });
      await presence.add(channel, later, TTL_MS);
      expect(await presence.members(channel)).toEqual(new Map([['a', later]]));
      await presence.add(channel, client('b', 'u2'), TTL_MS);
      expect(await presence.stats(channel)).toEqual({ clients: 2, users: 1 });
    });

    it('keeps a client until its time expires, unless it is added again', async () => {
      await retryWhenSlow(500, subject.elapse, async (ttlMs, elapse) => {
        channel = freshChannel();
        await presence.add(channel, client('a', 'u1'), ttlMs);
        await presence.add(channel, client('b', 'u2'), ttlMs);
        await presence.add(channel, client('c', 'u1'), 100 * TTL_MS);
        await elapse(ttlMs * 0.6);
        await presence.add(channel, client('b', 'u2'), ttlMs);
        await elapse(ttlMs * 0.6);
        expect(await ids()).toEqual(['b', 'c']);
        expect(await presence.stats(channel)).toEqual({ clients: 2, users: 2 });
        await elapse(ttlMs * 0.6);
        expect(await ids()).toEqual(['c']);
        expect(await presence.stats(channel)).toEqual({ clients: 1, users: 1 });
      });
    });

    it('is the same for all nodes that share the store', async () => {
      const other = subject.isShared ? await open() : presence;
      await presence.add(channel, client('a', 'u1'), TTL_MS);
      await other.add(channel, client('b', 'u1'), TTL_MS);
      for (const each of [presence, other]) {
        expect([...(await each.members(channel)).keys()].toSorted((a, b) => a.localeCompare(b))).toEqual([
          'a',
          'b',
        ]);
      }
      await other.remove(channel, 'a');
      expect(await ids()).toEqual(['b']);
    });

    it('counts correctly after many concurrent changes', async () => {
      const numbers = Array.from({ length: 200 }, (_, index) => index);
      await Promise.all(numbers.map((n) => presence.add(channel, client(`c${n}`, `u${n % 10}`), TTL_MS)));
      expect(await presence.stats(channel)).toEqual({ clients: 200, users: 10 });
      await Promise.all(
        numbers.filter((n) => n % 10 > 2 || n > 100).map((n) => presence.remove(channel, `c${n}`)),
      );
      expect(await presence.stats(channel)).toEqual({ clients: 31, users: 3 });
    });
  });
}
