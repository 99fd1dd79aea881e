import { IpcLedger, serveLedger } from '../../../src/bus/adapters/ipc/ipc.ledger.js';
import { SqliteLedger } from '../../../src/bus/adapters/sqlite/sqlite.ledger.js';
import { BrokerStatus } from '../../../src/metrics/index.js';
import { linkPair } from '../ipc-link.js';
import { describeLedger } from './schedule-ledger.contract.js';

describeLedger('IpcLedger', async (options) => {
  const file = { path: ':memory:', synchronous: 'normal' } as const;
  const store = await SqliteLedger.open({ ...file, ...options }, new BrokerStatus('ledger'));
  const { primary, worker } = linkPair();
  serveLedger(primary, store);
  const ledger = await IpcLedger.open(worker);
  const close = ledger.close.bind(ledger);
  ledger.close = async () => {
    await close();
    await store.close();
  };
  return ledger;
});
