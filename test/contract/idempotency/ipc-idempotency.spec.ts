import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import { IpcIdempotency, serveIdempotency } from '../../../src/bus/adapters/ipc/ipc.idempotency.js';
import { SqliteIdempotency } from '../../../src/bus/adapters/sqlite/sqlite.idempotency.js';
import { BrokerStatus } from '../../../src/metrics/index.js';
import { describeIdempotency } from './idempotency.contract.js';
import { linkPair } from '../ipc-link.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'carillon-ipc-'));
});
const stores: SqliteIdempotency[] = [];
afterAll(async () => {
  await Promise.all(stores.map((store) => store.close()));
  await rm(directory, { recursive: true });
});

function connect(store: SqliteIdempotency): IpcIdempotency {
  const { primary, worker } = linkPair();
  serveIdempotency(primary, store);
  return new IpcIdempotency(worker);
}

describeIdempotency('IpcIdempotency', async () => {
  const options = { path: join(directory, `${randomUUID()}.db`), synchronous: 'normal' } as const;
  let elapsed = 0;
  const now = () => 1_000_000 + elapsed;
  const openStore = async () => {
    const opened = await SqliteIdempotency.open({ ...options, now }, new BrokerStatus('sqlite'));
    stores.push(opened);
    return opened;
  };
  const store = await openStore();
  return {
    idempotency: connect(store),
    another: async () => connect(store),
    reopen: async () => {
      await store.close();
      return connect(await openStore());
    },
    elapse: async (ms) => void (elapsed += ms),
  };
});
