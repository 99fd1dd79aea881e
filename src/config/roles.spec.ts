import { describe, expect, it } from '@jest/globals';
import { ConfigError } from './config.errors.js';
import { loadConfig } from './load.js';
import { configSchema } from './schema.js';
import { wellKnownVariables } from './well-known.js';

type Variables = Readonly<Record<string, string>>;

const load = (role: string, env: Variables = {}) =>
  loadConfig({
    schema: configSchema,
    wellKnown: wellKnownVariables,
    argv: ['--role', role],
    env,
    cwd: import.meta.dirname,
  });

function faultsOf(role: string, env: Variables = {}): readonly string[] {
  try {
    load(role, env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

describe('server.roles', () => {
  const redis = { REDIS_URL: 'redis://localhost' };

  it.each([
    ['all', ['gateway', 'trigger', 'consumers']],
    ['consumers,gateway', ['gateway', 'consumers']],
    ['gateway, all', ['gateway', 'trigger', 'consumers']],
    ['trigger,trigger', ['trigger']],
  ])('reads %s', (role, roles) => {
    expect(load(role, redis).config.server.roles).toEqual(roles);
  });

  it('is every role by default', () => {
    const { config } = loadConfig({ schema: configSchema, wellKnown: {}, argv: [], env: {}, cwd: '/' });
    expect(config.server.roles).toEqual(['gateway', 'trigger', 'consumers']);
  });

  it.each([
    ['gatway', 'unknown role gatway: did you mean gateway? Accepted are all, gateway, trigger, consumers'],
    ['sockets', 'unknown role sockets. Accepted are all, gateway, trigger, consumers'],
  ])('refuses %s with a suggestion and the list', (role, words) => {
    expect(faultsOf(role)).toEqual([`server.roles.0: ${words} (from the flag --role)`]);
  });

  it('refuses an empty list', () => {
    expect(faultsOf('')[0]).toContain('must name at least one role');
  });
});

/**
 * What is refused for each combination of roles in one process: I, the instant lane; D, the delayed lane; L, the ledger of the
 * delayed lane; F, the fan-out.
 */
const combinations = [
  'all',
  'gateway',
  'trigger',
  'consumers',
  'gateway,trigger',
  'gateway,consumers',
  'trigger,consumers',
];
const redis = { REDIS_URL: 'redis://localhost' };
const kafka = { KAFKA_BROKER: 'localhost:9092' };
const pulsar = { PULSAR_SERVICE_URL: 'http://localhost:8080' };
const shapes: [name: string, env: Variables, refused: string[]][] = [
  ['nothing', {}, ['', 'F', 'IDF', 'IDF', 'IDF', 'IDF', 'F']],
  ['Redis', redis, ['', '', '', '', '', '', '']],
  ['Kafka and Redis', { ...kafka, ...redis }, ['', '', '', '', '', '', '']],
  ['Kafka, Pulsar and Redis', { ...kafka, ...pulsar, ...redis }, ['', '', '', '', '', '', '']],
  ['Kafka alone', kafka, ['', 'F', 'DF', 'DF', 'DF', 'DF', 'F']],
  ['Kafka and Pulsar', { ...kafka, ...pulsar }, ['', 'F', 'LF', 'LF', 'LF', 'LF', 'F']],
  [
    'Redis, but the instant lane in memory',
    { ...redis, CARILLON_BUS_INSTANT_DRIVER: 'memory' },
    ['', '', 'I', 'I', 'I', 'I', ''],
  ],
  [
    'Redis, but the delayed lane in a file',
    { ...redis, CARILLON_BUS_DELAYED_DRIVER: 'sqlite' },
    ['', '', 'D', 'D', 'D', 'D', ''],
  ],
  [
    'Redis, but the delayed lane in memory',
    { ...redis, CARILLON_BUS_DELAYED_DRIVER: 'memory' },
    ['', '', 'D', 'D', 'D', 'D', ''],
  ],
  [
    'Pulsar and Redis, but the ledger in a file',
    { ...pulsar, ...redis, CARILLON_BUS_DELAYED_LEDGER: 'sqlite' },
    ['', '', 'L', 'L', 'L', 'L', ''],
  ],
  [
    'Redis, but a local fan-out',
    { ...redis, CARILLON_DELIVERY_FANOUT_KIND: 'local', CARILLON_DELIVERY_FANOUT_URL: '' },
    ['', 'F', 'F', 'F', 'F', 'F', 'F'],
  ],
];
const settings: Readonly<Record<string, string>> = {
  I: 'bus.instant.driver',
  D: 'bus.delayed.driver',
  L: 'bus.delayed.ledger',
  F: 'delivery.fanout.kind',
};

describe.each(['1', '4'])('roles with WORKERS=%s', (WORKERS) => {
  it.each(shapes)('over %s', (_, env, refused) => {
    const found = combinations.map((role) => {
      const faults = faultsOf(role, { ...env, WORKERS });
      return Object.keys(settings).filter((letter) =>
        faults.some((fault) => fault.includes(`while ${settings[letter]} is`)),
      );
    });
    expect(found.map((letters) => letters.join(''))).toEqual(refused);
  });
});

describe('a refused combination', () => {
  it('says which roles are missing, why, and what to set', () => {
    expect(faultsOf('gateway')).toEqual([
      'server.roles: gateway cannot run here without trigger and consumers while delivery.fanout.kind is local, because ' +
        'messages of one process never reach the clients of another: set delivery.fanout.kind to redis (REDIS_URL does it), ' +
        'or add trigger and consumers to server.roles (from the flag --role)',
    ]);
    expect(faultsOf('gateway,trigger', { ...redis, CARILLON_BUS_INSTANT_DRIVER: 'memory' })).toEqual([
      'server.roles: trigger cannot run here without consumers while bus.instant.driver is memory, because messages in the ' +
        'memory of one process never reach the other: set bus.instant.driver to redis, kafka or pulsar (REDIS_URL does it), ' +
        'or add consumers to server.roles (from the flag --role)',
    ]);
  });
});
