import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import { IpcRetryStore, serveRetryStore } from '../../../src/bus/adapters/ipc/ipc.retry-store.js';
import { SqliteRetryStore } from '../../../src/bus/adapters/sqlite/sqlite.retry-store.js';
import { BrokerStatus } from '../../../src/metrics/index.js';
import { linkPair } from '../ipc-link.js';
import { manyDeadLetters } from './dead-letter-limits.js';
import { describeRetryStore } from './retry-store.contract.js';

let directory: string;
const stores: SqliteRetryStore[] = [];
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'carillon-ipc-'));
});
afterAll(async () => {
  await Promise.all(stores.map((store) => store.close()));
  await rm(directory, { recursive: true });
});

async function connect(store: SqliteRetryStore) {
  const { primary, worker } = linkPair();
  serveRetryStore(primary, store);
  return { records: await IpcRetryStore.open(worker), worker };
}

describeRetryStore('IpcRetryStore', async (limits) => {
  const options = {
    path: join(directory, `${randomUUID()}.db`),
    synchronous: 'normal',
    ...manyDeadLetters,
    ...limits,
    closeTimeoutMs: 3_000,
  } as const;
  const openStore = async () => {
    const opened = await SqliteRetryStore.open(options, new BrokerStatus('sqlite'));
    stores.push(opened);
    return opened;
  };
  const store = await openStore();
  const { records, worker } = await connect(store);
  return {
    retryStore: records,
    another: async () => (await connect(store)).records,
    reopen: async () => {
      await store.close();
      return (await connect(await openStore())).records;
    },
    die: async () => worker.close(),
  };
});
