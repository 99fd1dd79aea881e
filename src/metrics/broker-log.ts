import { Logger } from '@nestjs/common';
import { after } from '../async/index.js';
import type { BrokerStatus } from './broker-status.js';

type Change = Pick<BrokerStatus, 'name' | 'state' | 'reason'>;

/** Changes within this time share a line: the connections to one broker are lost within a moment of each other. */
const COLLECT_MS = 200;

/** Logs changes of brokers. Several roles of one broker that change together, for one reason, are logged as one line. */
export class BrokerLog {
  readonly #logger = new Logger('Brokers');
  #changes = new Map<BrokerStatus, Change>();

  add(status: BrokerStatus): void {
    // Every change is logged, and those of one role in their order.
    if (this.#changes.has(status)) this.#flush();
    if (this.#changes.size === 0) after('log of broker states', COLLECT_MS, () => this.#flush()).unref();
    const { name, state, reason } = status;
    this.#changes.set(status, { name, state, reason });
  }

  #flush(): void {
    const changes = [...this.#changes.values()];
    this.#changes.clear();
    const lines = Map.groupBy(changes, (status) =>
      [brokerOf(status), status.state, status.reason].join('\0'),
    );
    for (const statuses of lines.values()) this.#log(statuses);
  }

  #log(statuses: readonly Change[]): void {
    const [first] = statuses;
    if (first === undefined) return;
    const roles = statuses.map(({ name }) => name.slice(brokerOf(first).length + 2, -1));
    const name = statuses.length === 1 ? first.name : `${brokerOf(first)} (${roles.join('; ')})`;
    if (first.state === 'up') this.#logger.log(`${name} is up`);
    else this.#logger.warn(`${name} is down: ${first.reason ?? 'no reason given'}`);
  }
}

/** Returns `redis` for `redis (instant lane)`. */
function brokerOf({ name }: Change): string {
  return /^(.*) \(.*\)$/.exec(name)?.[1] ?? name;
}
