import type { BusOptions } from '../bus/index.js';
import type { DeliveryOptions } from '../delivery/index.js';
import type { Role } from './roles.js';

type Options = { readonly bus: BusOptions; readonly delivery: DeliveryOptions };

/** Something that messages take from one role to another, and that connects several processes only with some of its settings. */
interface Connection {
  readonly roles: readonly Role[];
  readonly setting: string;
  /** Undefined where the configuration does not use it. */
  readonly valueIn: (options: Options) => string | undefined;
  /** The values with which it stays inside one process, and why that is not enough. */
  readonly insideOneProcess: Readonly<Record<string, string>>;
  readonly accepted: string;
}

/**
 * A role that does not run in this process runs in another one. What connects the two must then be shared: each line is refused
 * when some, but not all, of its roles run in this process.
 *
 * The number of workers does not matter: they share what one process would have for itself, and no more.
 */
const connections: readonly Connection[] = [
  {
    roles: ['trigger', 'consumers'],
    setting: 'bus.instant.driver',
    valueIn: ({ bus }) => bus.instant.driver,
    insideOneProcess: { memory: 'messages in the memory of one process never reach the other' },
    accepted: 'redis, kafka or pulsar',
  },
  {
    roles: ['trigger', 'consumers'],
    setting: 'bus.delayed.driver',
    valueIn: ({ bus }) => bus.delayed.driver,
    insideOneProcess: {
      memory: 'messages in the memory of one process never reach the other',
      sqlite: 'messages in the file of one process never reach the other',
    },
    accepted: 'redis or pulsar',
  },
  {
    roles: ['trigger', 'consumers'],
    setting: 'bus.delayed.ledger',
    valueIn: ({ bus }) => (bus.delayed.driver === 'pulsar' ? bus.delayed.ledger : undefined),
    insideOneProcess: { sqlite: 'a message that one process cancels would still be delivered by the other' },
    accepted: 'redis',
  },
  {
    roles: ['gateway', 'trigger', 'consumers'],
    setting: 'delivery.fanout.kind',
    valueIn: ({ delivery }) => delivery.fanout.kind,
    insideOneProcess: { local: 'messages of one process never reach the clients of another' },
    accepted: 'redis',
  },
];

/** Returns one sentence for each setting with which these roles cannot run apart from the others. */
export function roleFaults(here: readonly Role[], options: Options): string[] {
  return connections.flatMap(({ roles, setting, valueIn, insideOneProcess, accepted }) => {
    const value = valueIn(options);
    const reason = value === undefined ? undefined : insideOneProcess[value];
    const present = roles.filter((role) => here.includes(role));
    const absent = roles.filter((role) => !here.includes(role));
    if (reason === undefined || present.length === 0 || absent.length === 0) return [];
    return (
      `${present.join(' and ')} cannot run here without ${absent.join(' and ')} while ${setting} is ${value}, because ` +
      `${reason}: set ${setting} to ${accepted} (REDIS_URL does it), or add ${absent.join(' and ')} to server.roles`
    );
  });
}
