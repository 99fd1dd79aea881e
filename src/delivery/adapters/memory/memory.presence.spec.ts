import { afterEach, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { ClientInfo } from '../../presence/client-info.js';
import { MemoryPresence } from './memory.presence.js';

let now = 0;
let presence = new MemoryPresence(() => now);

afterEach(() => presence.close());

const step = fc.record({
  client: fc.constantFrom('a', 'b', 'c', 'd'),
  user: fc.constantFrom('', 'u', 'v'),
  /** 0: the client is removed. */
  ttlMs: fc.nat(100),
  waitMs: fc.nat(60),
  countsFirst: fc.boolean(),
});

describe('MemoryPresence', () => {
  it('counts the clients that it lists after any sequence of changes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step), async (steps) => {
        await presence.close();
        presence = new MemoryPresence(() => now);
        const model = new Map<string, { info: ClientInfo; until: number }>();
        for (const { client, user, ttlMs, waitMs, countsFirst } of steps) {
          const info = { client, user };
          if (ttlMs === 0) {
            await presence.remove('x', client);
            model.delete(client);
          } else {
            await presence.add('x', info, ttlMs);
            model.set(client, { info, until: now + ttlMs });
          }
          now += waitMs;
          const present = [...model.values()].filter(({ until }) => until > now).map(({ info: who }) => who);
          const counts = { clients: present.length, users: new Set(present.map((who) => who.user)).size };
          expect(countsFirst ? await presence.stats('x') : counts).toEqual(counts);
          expect(await presence.members('x')).toEqual(new Map(present.map((who) => [who.client, who])));
          expect(await presence.stats('x')).toEqual(counts);
        }
      }),
    );
  });

  it('counts without reading each client', async () => {
    let looks = 0;
    class Watched implements ClientInfo {
      constructor(readonly client: string) {}

      get user(): string {
        looks++;
        return 'u';
      }
    }
    for (let i = 0; i < 100; i++) await presence.add('y', new Watched(String(i)), 1_000);
    looks = 0;
    expect(await presence.stats('y')).toEqual({ clients: 100, users: 1 });
    expect(looks).toBe(0);
  });
});
