import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Presence, ClientInfo } from '../../../src/delivery/index.js';
import { type Elapse, inGoodTime } from '../consumers/in-good-time.js';

export interface PresenceSubject {
  open(): Promise<{ readonly presence: Presence; close(): Promise<void> }>;
  /** Lets `ms` pass for the store: by its injected clock where it has one, else really. */
  readonly elapse: Elapse;
  /** Whether several nodes see the same. */
  readonly isShared: boolean;
}

const TTL_MS = 60_000;
const freshChannel = () => `presence-${randomBytes(4).toString('hex')}`;
const client = (id: string, user = 'u', rest: Partial<ClientInfo> = {}): ClientInfo => ({
  user,
  client: id,
  ...rest,
});

/** The contract of the port `Presence`. */
export function describePresence(name: string, prepare: () => Promise<PresenceSubject>): void {
  describe(`${name} as a Presence`, () => {
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

    it('has nobody in a channel that nobody entered', async () => {
      expect(await presence.members(channel)).toEqual(new Map());
      expect(await presence.stats(channel)).toEqual({ clients: 0, users: 0 });
      await presence.remove(channel, 'nobody');
    });

    it('tells who is there, with what they say about themselves', async () => {
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

    it('lets a client go at once', async () => {
      await presence.add(channel, client('a', 'u1'), TTL_MS);
      await presence.add(channel, client('b', 'u1'), TTL_MS);
      await presence.remove(channel, 'a');
      await presence.remove(channel, 'a');
      expect(await ids()).toEqual(['b']);
      expect(await presence.stats(channel)).toEqual({ clients: 1, users: 1 });
      await presence.remove(channel, 'b');
      expect(await presence.stats(channel)).toEqual({ clients: 0, users: 0 });
    });

    it('replaces what a client says, and who it is', async () => {
      await presence.add(channel, client('a', 'u1'), TTL_MS);
      const later = client('a', 'u2', { connInfo: Buffer.from('2') });
      await presence.add(channel, later, TTL_MS);
      expect(await presence.members(channel)).toEqual(new Map([['a', later]]));
      await presence.add(channel, client('b', 'u2'), TTL_MS);
      expect(await presence.stats(channel)).toEqual({ clients: 2, users: 1 });
    });

    it('keeps a client for as long as it was asked to, and longer if it is asked again', async () => {
      await inGoodTime(500, subject.elapse, async (ttlMs, elapse) => {
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

    it('is one for all nodes, where they share it', async () => {
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

    it('counts right after many came and went at once', async () => {
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
