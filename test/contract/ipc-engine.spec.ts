import { describe, expect, it } from '@jest/globals';
import { IpcFanout } from '../../src/delivery/adapters/ipc.fanout.js';
import { IpcHistory, serveHistory } from '../../src/delivery/adapters/ipc.history.js';
import { IpcPresence, servePresence } from '../../src/delivery/adapters/ipc.presence.js';
import { IpcSwitchboard } from '../../src/delivery/adapters/ipc.switchboard.js';
import { LocalFanout } from '../../src/delivery/adapters/local.fanout.js';
import { MemoryHistory } from '../../src/delivery/adapters/memory.history.js';
import { MemoryPresence } from '../../src/delivery/adapters/memory.presence.js';
import { describeHistory } from './history.contract.js';
import { linkPair } from './ipc-link.js';
import { describePresence } from './presence.contract.js';

const roomy = { maxBytes: 10_000_000, maxChannels: 1_000, maxKeys: 1_000 };

describeHistory('IpcHistory', async () => {
  let now = 1_000_000;
  const switchboard = new IpcSwitchboard();
  const fanout = new LocalFanout((publication) => switchboard.publish(publication));
  const store = new MemoryHistory(fanout, { ...roomy, now: () => now });
  return {
    open: async (inbox) => {
      const { primary, worker } = linkPair();
      switchboard.connect(primary);
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

describe('IpcPresence', () => {
  it('has nobody of a worker that died', async () => {
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
