import { consumerSettings } from './consumers/consumer.options.js';

/** What the translation of a configuration with names of the original message bus returns. */
export interface TranslatedNames {
  readonly options: Section;
  /** The names that were translated, each with the present one. */
  readonly renamed: readonly (readonly [former: string, present: string])[];
}

type Section = Readonly<Record<string, unknown>>;

interface Present {
  readonly name: string;
  readonly convert?: (value: unknown) => unknown;
}

/** The original bus counts in seconds. */
const inMs = (name: string): Present => ({
  name,
  convert: (value) => (typeof value === 'number' ? Math.round(value * 1_000) : value),
});
/** -1 turns a heartbeat off there. Here a connection is always checked, in the driver's interval. */
const heartbeat: Present = {
  name: 'heartbeatMs',
  convert: (value) => (value === -1 ? undefined : inMs('').convert?.(value)),
};

type Names = Readonly<Record<string, Present>>;

const consumerNames: Names = {
  consume_num: { name: 'batchSize' },
  consumer_interval: inMs('takeEveryMs'),
  nums: { name: 'concurrency' },
  restart_interval: inMs('restartDelayMs'),
};
const poolNames: Names = {
  min_connections: { name: 'minConnections' },
  max_connections: { name: 'maxConnections' },
  connect_timeout: inMs('connectTimeoutMs'),
  wait_timeout: inMs('waitTimeoutMs'),
  max_idle_time: inMs('maxIdleMs'),
  heartbeat,
};
/** The names of the settings in the sections of modules and pools, to suggest one for a name that is unknown. */
export const busSectionNames: readonly string[] = [
  ...Object.keys(consumerSettings.shape),
  ...Object.values(poolNames).map(({ name }) => name),
  'driver',
  'load',
  'pools',
  'consumers',
  'pool',
  'kafka',
  'redis',
  'pulsar',
];

const hosts: Readonly<Record<string, string>> = { kafka: 'brokers', pulsar: 'serviceUrl', redis: 'url' };

/**
 * Translates what a configuration may say in another way: a list of files in place of the consumers of a module, and the names of the settings
 * of the original message bus (`consume_num`, `modules.X.drivers`, a section `default`), with the meaning that they had: its
 * durations are seconds. A present name in the same section wins.
 */
export function translateOriginalNames(given: Section): TranslatedNames {
  const renamed: (readonly [string, string])[] = [];
  const names = new Translation(renamed);
  const { default: defaults, modules, producers, consumers, ...rest } = given;
  const options: Record<string, unknown> = names.rename(rest, '', {
    default_driver: { name: 'defaultDriver' },
  });
  let pools = isSection(producers)
    ? names.each(producers, 'producers', (pool, path) => names.pool(pool, path))
    : producers;
  if (isSection(defaults)) {
    const { default_driver: driver, drivers, ...byDriver } = defaults;
    if (driver !== undefined) {
      options['defaultDriver'] ??= driver;
      renamed.push(['default.default_driver', 'defaultDriver']);
    }
    for (const [path, section] of [
      ['default', byDriver],
      ['default.drivers', drivers],
    ] as const) {
      if (!isSection(section)) continue;
      for (const [name, pool] of Object.entries(section)) {
        renamed.push([`${path}.${name}`, `producers.${name}`]);
        const { host, ...own } = isSection(pool) ? pool : {};
        if (host !== undefined) options['drivers'] = withHost(options['drivers'], name, host, renamed, path);
        pools = { ...(isSection(pools) ? pools : {}), [name]: names.pool(own, `${path}.${name}`) };
      }
    }
  } else if (defaults !== undefined) options['default'] = defaults;
  if (pools !== undefined) options['producers'] = pools;
  if (consumers !== undefined)
    options['consumers'] = isSection(consumers)
      ? names.rename(consumers, 'consumers', consumerNames)
      : consumers;
  if (modules !== undefined)
    options['modules'] = isSection(modules)
      ? names.each(modules, 'modules', (module, path) => names.module(module, path))
      : modules;
  return { options, renamed };
}

class Translation {
  constructor(private readonly renamed: (readonly [string, string])[]) {}

  rename(section: Section, path: string, names: Names): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(section)) {
      const present = Object.hasOwn(names, name) ? names[name] : undefined;
      if (present === undefined) result[name] = value;
      else {
        const prefix = path === '' ? '' : `${path}.`;
        this.renamed.push([prefix + name, prefix + present.name]);
        const converted = present.convert === undefined ? value : present.convert(value);
        if (converted !== undefined && section[present.name] === undefined) result[present.name] = converted;
      }
    }
    return result;
  }

  each(section: Section, path: string, translate: (child: Section, path: string) => unknown): Section {
    return Object.fromEntries(
      Object.entries(section).map(([name, child]) => [
        name,
        isSection(child) ? translate(child, `${path}.${name}`) : child,
      ]),
    );
  }

  /** Both kinds of names may be in a pool, and a pool may be in a section of its own (`pool`). */
  pool(section: Section, path: string): Section {
    const { pool, ...rest } = section;
    const flat = isSection(pool) ? { ...pool, ...rest } : section;
    return this.rename(flat, path, { ...poolNames, ...consumerNames });
  }

  module(section: Section, path: string): Section {
    const { drivers, pools, consumers, ...rest } = section;
    const result = this.rename(rest, path, consumerNames);
    if (isSection(consumers))
      result['consumers'] = this.each(consumers, `${path}.consumers`, (child, where) =>
        this.rename(child, where, consumerNames),
      );
    else if (Array.isArray(consumers))
      result['load'] = [...listOf(rest['load']), ...(consumers as unknown[])];
    else if (consumers !== undefined) result['consumers'] = consumers;
    if (drivers !== undefined) this.renamed.push([`${path}.drivers`, `${path}.pools`]);
    const joined =
      isSection(drivers) && (pools === undefined || isSection(pools))
        ? { ...drivers, ...pools }
        : (pools ?? drivers);
    if (isSection(joined))
      result['pools'] = this.each(joined, `${path}.pools`, (child, where) => this.pool(child, where));
    else if (joined !== undefined) result['pools'] = joined;
    return result;
  }
}

/** Sets the address of a driver that has none yet. */
function withHost(
  drivers: unknown,
  name: string,
  host: unknown,
  renamed: (readonly [string, string])[],
  path: string,
): unknown {
  const setting = hosts[name];
  if (setting === undefined) return drivers;
  renamed.push([`${path}.${name}.host`, `drivers.${name}.${setting}`]);
  const all = isSection(drivers) ? drivers : {};
  const driver = all[name];
  const value =
    name === 'kafka' && typeof host === 'string' ? host.split(',').map((each) => each.trim()) : host;
  return { ...all, [name]: { [setting]: value, ...(isSection(driver) ? driver : {}) } };
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : value === undefined ? [] : [value];
}

function isSection(value: unknown): value is Section {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
