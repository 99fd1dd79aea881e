import { randomUUID } from 'node:crypto';
import { IpcBus, serveBus } from '../../../src/bus/adapters/ipc/ipc.bus.js';
import { MemoryBus } from '../../../src/bus/adapters/memory/memory.bus.js';
import { memoryBusOptions } from '../../../src/bus/adapters/memory/memory.options.js';
import { BrokerStatus } from '../../../src/metrics/index.js';
import { describeBus } from './bus.contract.js';
import { linkPair } from '../ipc-link.js';

describeBus('IpcBus', async () => {
  const store = new MemoryBus(
    memoryBusOptions.parse({ retryInitialDelayMs: 10 }),
    new BrokerStatus('memory'),
  );
  const connect = async () => {
    const { primary, worker } = linkPair();
    serveBus(primary, store);
    return { bus: await IpcBus.open(worker), worker };
  };
  return {
    bus: (await connect()).bus,
    name: () => randomUUID(),
    another: async () => (await connect()).bus,
    holdElsewhere: async (options) => {
      const { bus, worker } = await connect();
      const holds = Promise.withResolvers<void>();
      await bus.subscribe(options, () => {
        holds.resolve();
        return Promise.withResolvers<void>().promise;
      });
      return { holds: holds.promise, kill: async () => worker.close() };
    },
  };
});
