import type { Link } from '../ipc/index.js';
import type { BrokerState, BrokerStatus, Readiness } from '../metrics/index.js';

const PORT = 'brokers';

type Listener = (name: string, state: BrokerState, reason: string | undefined) => Promise<void>;

/** Reports the state of the stores of this process to a worker, now and whenever it changes. */
export function serveBrokerStates(link: Link, readiness: Readiness): void {
  link.serve(PORT, {
    watch: (listener: Listener) => {
      const unwatch = readiness.watch(({ name, state, reason }) => {
        listener(name, state, reason).catch(() => {}); // rejects when the worker has ended
      });
      link.onEnd(unwatch);
    },
  });
}

/** Makes the readiness of this worker depend on the stores of the primary process. */
export async function followBrokerStates(link: Link, readiness: Readiness): Promise<void> {
  const statuses = new Map<string, BrokerStatus>();
  const listener = (name: string, state: BrokerState, reason: string | undefined): void => {
    const status = statuses.get(name) ?? readiness.broker(name);
    statuses.set(name, status);
    if (state === 'up') status.up();
    else if (state === 'down') status.down(reason ?? 'no reason given');
  };
  await link.call(PORT, 'watch', listener);
}
