import type { Link } from '../ipc/index.js';
import type { BrokerState, BrokerStatus, Readiness } from '../metrics/index.js';

const NAME = 'brokers';

type Teller = (name: string, state: BrokerState, reason: string | undefined) => Promise<void>;

/** Tells a worker how the stores of this process are, now and whenever it changes. */
export function serveBrokerStates(link: Link, readiness: Readiness): void {
  link.serve(NAME, {
    watch: (tell: Teller) => {
      const unwatch = readiness.watch(({ name, state, reason }) => {
        tell(name, state, reason).catch(() => {}); // a worker that is gone needs no news
      });
      link.onEnd(unwatch);
    },
  });
}

/** Makes the stores of the primary process brokers of this worker, on which its readiness depends. */
export async function followBrokerStates(link: Link, readiness: Readiness): Promise<void> {
  const statuses = new Map<string, BrokerStatus>();
  const tell = (name: string, state: BrokerState, reason: string | undefined): void => {
    const status = statuses.get(name) ?? readiness.broker(name);
    statuses.set(name, status);
    if (state === 'up') status.up();
    else if (state === 'down') status.down(reason ?? 'no reason given');
  };
  await link.call(NAME, 'watch', tell);
}
