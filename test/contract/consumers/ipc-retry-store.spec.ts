import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import { IpcParkedRecords, serveParkedRecords } from '../../../src/bus/adapters/ipc/ipc.retry-store.js';
import { SqliteParkedRecords } from '../../../src/bus/adapters/sqlite/sqlite.retry-store.js';
import { BrokerStatus } from '../../../src/metrics/index.js';
import { linkPair } from '../ipc-link.js';
import { describeParkedRecords } from './retry-store.contract.js';

let directory: string;
const stores: SqliteParkedRecords[] = [];
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'carillon-ipc-'));
});
afterAll(async () => {
  await Promise.all(stores.map((store) => store.close()));
  await rm(directory, { recursive: true });
});

async function connect(store: SqliteParkedRecords) {
  const { primary, worker } = linkPair();
  serveParkedRecords(primary, store);
  return { records: await IpcParkedRecords.open(worker), worker };
}

describeParkedRecords('IpcParkedRecords', async () => {
  const options = {
    path: join(directory, `${randomUUID()}.db`),
    synchronous: 'normal',
    closeTimeoutMs: 3_000,
  } as const;
  const openStore = async () => {
    const opened = await SqliteParkedRecords.open(options, new BrokerStatus('sqlite'));
    stores.push(opened);
    return opened;
  };
  const store = await openStore();
  const { records, worker } = await connect(store);
  return {
    parked: records,
    another: async () => (await connect(store)).records,
    reopen: async () => {
      await store.close();
      return (await connect(await openStore())).records;
    },
    die: async () => worker.close(),
  };
});
