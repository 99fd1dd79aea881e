import { describe, expect, it } from '@jest/globals';
import { IpcFanout } from '../../../src/delivery/adapters/ipc/ipc.fanout.js';
import type { HistoryPage } from '../../../src/delivery/history/history.port.js';
import { IpcHistory, serveHistory } from '../../../src/delivery/adapters/ipc/ipc.history.js';
import { IpcPresence, servePresence } from '../../../src/delivery/adapters/ipc/ipc.presence.js';
import { IpcRegistry, serveRegistry } from '../../../src/delivery/adapters/ipc/ipc.registry.js';
import { IpcHub } from '../../../src/delivery/adapters/ipc/ipc-hub.js';
import { LocalFanout } from '../../../src/delivery/adapters/memory/local.fanout.js';
import { MemoryHistory } from '../../../src/delivery/adapters/memory/memory.history.js';
import { MemoryPresence } from '../../../src/delivery/adapters/memory/memory.presence.js';
import { MemoryRegistry } from '../../../src/delivery/adapters/memory/memory.registry.js';
import { Publication } from '../../../src/delivery/index.js';
import { describeHistory } from './history.contract.js';
import { linkPair } from '../ipc-link.js';
import { describePresence } from './presence.contract.js';
import { describeRegistry } from './registry.contract.js';

const roomy = { maxBytes: 10_000_000, maxChannels: 1_000, maxKeys: 1_000 };

describeHistory('IpcHistory', async () => {
  let now = 1_000_000;
  const hub = new IpcHub();
  const fanout = new LocalFanout((publication) => hub.publish(publication));
  const store = new MemoryHistory(fanout, { ...roomy, now: () => now });
  return {
    open: async (inbox) => {
      const { primary, worker } = linkPair();
      hub.connect(primary);
      serveHistory(primary, store);
      return { fanout: new IpcFanout(worker, inbox.handler), history: new IpcHistory(worker) };
    },
    elapse: async (ms) => void (now += ms),
  };
});

describePresence('IpcPresence', async () => {
  let now = 1_000_000;
  const store = new MemoryPresence(() => now);
  return {
    open: async () => {
      const { primary, worker } = linkPair();
      servePresence(primary, store);
      const presence = new IpcPresence(worker);
      return { presence, close: () => presence.close() };
    },
    elapse: async (ms) => void (now += ms),
    isShared: true,
  };
});

describeRegistry('IpcRegistry', async () => {
  let now = 1_000_000;
  const store = new MemoryRegistry(() => now);
  return {
    open: async () => {
      const { primary, worker } = linkPair();
      serveRegistry(primary, store);
      const registry = new IpcRegistry(worker);
      return { registry, close: () => registry.close() };
    },
    elapse: async (ms) => void (now += ms),
  };
});

describe('IpcHistory', () => {
  it('requests only a few pages at a time, so that they do not fill the link', async () => {
    const { primary, worker } = linkPair();
    const asked: PromiseWithResolvers<HistoryPage>[] = [];
    const read = (): Promise<HistoryPage> => {
      const page = Promise.withResolvers<HistoryPage>();
      asked.push(page);
      return page.promise;
    };
    primary.serve('history', { read });
    const history = new IpcHistory(worker);
    const pages = Array.from({ length: 20 }, (_, n) =>
      history.read(`${n}`, { limit: 300, metaTtlMs: 1_000 }),
    );
    const position = history.read('position', { limit: 0, metaTtlMs: 1_000 });
    const answer = { offset: 0, epoch: 'e', publications: [] };
    // Replies to one request at a time. Each reply allows the next request.
    let most = 0;
    for (let answered = 0; answered <= pages.length; answered++) {
      while (asked.length <= answered) await new Promise(setImmediate);
      for (let turns = 0; turns < 5; turns++) await new Promise(setImmediate);
      most = Math.max(most, asked.length - answered);
      asked[answered]!.resolve(answer);
    }
    expect(await Promise.all([...pages, position])).toHaveLength(21);
    expect(most).toBe(5);
  });

  it('shares one request between concurrent reads of a page, but not with reads after it was sent', async () => {
    const { primary, worker } = linkPair();
    let asked = 0;
    primary.serve('history', { read: () => ({ offset: ++asked, epoch: 'e', publications: [] }) });
    const history = new IpcHistory(worker);
    const read = (offset: number) =>
      history.read('a', { since: { offset, epoch: 'e' }, limit: 300, metaTtlMs: 1_000 });
    const together = [read(1), read(1), read(1), read(2)];
    await new Promise(setImmediate);
    const pages = await Promise.all([...together, read(1)]);
    expect(pages.map(({ offset }) => offset)).toEqual([1, 1, 1, 2, 3]);
  });
});

describe('the primary process, for the client of a worker', () => {
  const info = { user: 'u', client: 'c', connInfo: Buffer.from('{"name":"n"}'), chanInfo: Buffer.from('{}') };
  const kept = { size: 1, ttlMs: 60_000, metaTtlMs: 60_000 };

  it('copies what it stores, and does not keep the buffer of the link in memory', async () => {
    const { primary, worker } = linkPair();
    const presence = new MemoryPresence();
    const history = new MemoryHistory(new LocalFanout(() => {}), roomy);
    servePresence(primary, presence);
    serveHistory(primary, history);
    primary.serve('other', { receive: () => {} });
    const extras = { info, delta: false };
    const publication = new Publication({
      channel: 'a',
      data: Buffer.from('1'),
      format: 'json',
      id: 'id',
      createdAt: 0,
      lane: 'direct',
      expiresAt: 1,
      ...extras,
    });
    worker.notify('other', 'receive', Buffer.alloc(200_000));
    const entered = new IpcPresence(worker).add('a', info, 60_000);
    await new IpcHistory(worker).publish(publication, { history: kept });
    await entered;
    const [entry] = (await history.read('a', { limit: 1, metaTtlMs: 60_000 })).publications;
    const member = (await presence.members('a')).get('c');
    for (const each of [entry?.info, member]) {
      expect(each).toEqual(info);
      for (const bytes of [each?.connInfo, each?.chanInfo])
        expect(bytes?.buffer.byteLength).toBe(bytes?.length);
    }
    await Promise.all([presence.close(), history.close()]);
  });
});

describe('IpcPresence', () => {
  it('removes the clients of a worker that has died', async () => {
    const store = new MemoryPresence();
    const connect = () => {
      const { primary, worker } = linkPair();
      servePresence(primary, store);
      return { primary, worker, presence: new IpcPresence(worker) };
    };
    const [victim, other] = [connect(), connect()];
    await victim.presence.add('c', { user: 'u', client: 'gone' }, 60_000);
    await other.presence.add('c', { user: 'u', client: 'here' }, 60_000);
    const ended = Promise.withResolvers<void>();
    victim.primary.onEnd(ended.resolve);
    victim.worker.close();
    await ended.promise;
    expect([...(await other.presence.members('c')).keys()]).toEqual(['here']);
    await store.close();
  });
});
