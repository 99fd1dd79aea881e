import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { ConfigError } from './config.errors.js';
import { loadConfig } from './load.js';

const schema = z
  .strictObject({
    server: z
      .strictObject({ port: z.number().int().max(65535).default(3000).describe('The port.') })
      .prefault({}),
    bus: z
      .strictObject({
        kafka: z
          .strictObject({ brokers: z.array(z.string()).min(1), password: z.string().optional() })
          .optional(),
        topic: z.string().default('t'),
        verbose: z.boolean().default(false),
      })
      .prefault({}),
    fanout: z
      .discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('local') }),
        z.strictObject({ kind: z.literal('redis'), url: z.string() }),
      ])
      .prefault({ kind: 'local' }),
  })
  .prefault({});

describe('loadConfig', () => {
  let cwd: string;
  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), 'config-'));
  });
  afterEach(() => {
    rmSync(cwd, { recursive: true });
  });

  const load = (given: {
    argv?: string[];
    env?: Record<string, string>;
    file?: unknown;
    dotEnv?: string;
  }) => {
    if (given.file !== undefined) writeFileSync(join(cwd, 'c.json'), JSON.stringify(given.file));
    if (given.dotEnv !== undefined) writeFileSync(join(cwd, '.env'), given.dotEnv);
    return loadConfig({
      schema,
      renamed: { queue: 'bus', 'server.number': 'server.port' },
      wellKnown: {
        KAFKA_BROKER: { sets: ['bus.kafka.brokers'], implies: { 'bus.topic': 'on-kafka' } },
        PORT: { sets: ['server.port'] },
      },
      argv: [...(given.file === undefined ? [] : ['--config', 'c.json']), ...(given.argv ?? [])],
      env: given.env ?? {},
      cwd,
    });
  };
  const faultsOf = (run: () => unknown): readonly string[] => {
    try {
      run();
    } catch (error) {
      if (error instanceof ConfigError) return error.faults;
      throw error;
    }
    throw new Error('no fault was reported');
  };

  it('returns the defaults without any source', () => {
    expect(load({})).toEqual({
      config: { server: { port: 3000 }, bus: { topic: 't', verbose: false }, fanout: { kind: 'local' } },
      notices: [],
      errors: [],
    });
  });

  it('prefers flags to the environment, the environment to .env, and .env to the file', () => {
    const given = {
      file: { server: { port: 1 }, bus: { topic: 'file' } },
      dotEnv: 'PORT=2\nCARILLON_BUS_TOPIC=dot',
    };
    expect(load(given).config).toMatchObject({ server: { port: 2 }, bus: { topic: 'dot' } });
    expect(load({ ...given, env: { PORT: '3' } }).config.server.port).toBe(3);
    expect(load({ ...given, env: { PORT: '3', CARILLON_SERVER_PORT: '4' } }).config.server.port).toBe(4);
    expect(load({ ...given, env: { PORT: '3' }, argv: ['--port', '5'] }).config.server.port).toBe(5);
    expect(load({ ...given, argv: ['--server.port=6', '--bus.verbose'] }).config).toMatchObject({
      server: { port: 6 },
      bus: { verbose: true },
    });
  });

  it('reads lists, and a branch of a union, from variables', () => {
    const { config } = load({
      env: { KAFKA_BROKER: 'a:1, b:2', CARILLON_FANOUT_KIND: 'redis', CARILLON_FANOUT_URL: 'redis://x' },
    });
    expect(config.bus.kafka?.brokers).toEqual(['a:1', 'b:2']);
    expect(config.fanout).toEqual({ kind: 'redis', url: 'redis://x' });
  });

  it('implies other settings from the presence of a variable, unless they are set', () => {
    expect(load({ env: { KAFKA_BROKER: 'a:1' } }).config.bus.topic).toBe('on-kafka');
    expect(load({ env: { KAFKA_BROKER: 'a:1' }, file: { bus: { topic: 'file' } } }).config.bus.topic).toBe(
      'file',
    );
    expect(load({ env: { KAFKA_BROKER: 'a:1', CARILLON_BUS_TOPIC: 'mine' } }).config.bus.topic).toBe('mine');
  });

  it('treats an empty variable as absent', () => {
    expect(load({ env: { KAFKA_BROKER: '', CARILLON_BUS_TOPIC: '' } }).config.bus).toEqual({
      topic: 't',
      verbose: false,
    });
  });

  it('reports all faults, each with its origin', () => {
    const faults = faultsOf(() =>
      load({
        file: { bus: { kafka: { brokers: [] } } },
        env: { PORT: 'many', CARILLON_FANOUT_KIND: 'redis' },
      }),
    );
    expect(faults).toHaveLength(3);
    expect(faults.join('\n')).toMatch(
      /server\.port: .*number.* \(from PORT in the environment: "many"\)\. The port\./,
    );
    expect(faults.join('\n')).toMatch(/bus\.kafka\.brokers: /);
    expect(faults.join('\n')).toMatch(/fanout\.url: .*CARILLON_FANOUT_URL/);
  });

  it('ignores unknown names, and reports them with a suggestion', () => {
    const { config, notices } = load({
      file: { bus: { topik: 'x' }, servers: {} },
      env: { CARILLON_BUS_TOPIK: 'y', OTHER: 'z' },
    });
    expect(config.bus.topic).toBe('t');
    expect(notices).toEqual([
      'CARILLON_BUS_TOPIK in the environment is unknown and was ignored: did you mean CARILLON_BUS_TOPIC?',
      'bus.topik in c.json is unknown and was ignored: did you mean bus.topic?',
      'servers in c.json is unknown and was ignored',
    ]);
  });

  it('reports names that are near to well-known ones', () => {
    const known = { KAFKA_BROKER: { sets: [] } };
    const env = { KAFKA_HOST: 'kafka', REDIS_HOST: 'redis' };
    const request = { schema: z.strictObject({}).prefault({}), wellKnown: known, argv: [], cwd: '/' };
    expect(loadConfig({ ...request, env }).notices).toEqual([
      'KAFKA_HOST in the environment has no effect: did you mean KAFKA_BROKER?',
    ]);
    expect(loadConfig({ ...request, env: { ...env, KAFKA_BROKER: 'kafka:9092' } }).notices).toEqual([]);
  });

  it('accepts former names of settings, and reports the present ones', () => {
    const { config, notices } = load({
      file: { queue: { topic: 'file', verbose: true }, server: { number: 1 } },
      env: { CARILLON_SERVER_NUMBER: '2' },
      argv: ['--queue.topic', 'flag'],
    });
    expect(config).toMatchObject({ server: { port: 2 }, bus: { topic: 'flag', verbose: true } });
    const advice = 'the former name still works, but use the present one';
    expect(notices).toEqual([
      `queue in c.json is now called bus: ${advice}`,
      `server.number in c.json is now called server.port: ${advice}`,
      `CARILLON_SERVER_NUMBER in the environment is now called CARILLON_SERVER_PORT: ${advice}`,
      `the flag --queue.topic is now called --bus.topic: ${advice}`,
    ]);
  });

  it('prefers the present name to a former one in the same place, and a former one to a well-known variable', () => {
    const file = { queue: { topic: 'former', verbose: true }, bus: { topic: 'present' } };
    expect(load({ file }).config.bus).toMatchObject({ topic: 'present', verbose: true });
    const env = { PORT: '1', CARILLON_SERVER_NUMBER: '2' };
    expect(load({ env }).config.server.port).toBe(2);
    expect(load({ env: { CARILLON_SERVER_PORT: '3', ...env } }).config.server.port).toBe(3);
  });

  it.each([
    [['--prot', '1'], 'the flag --prot is unknown: did you mean port?'],
    [['prot'], 'the argument prot is unknown'],
    [['--port'], 'the flag --port needs a value'],
    [['--config', 'absent.json'], 'cannot read the configuration file absent.json (ENOENT): check the path'],
  ])('refuses %j', (argv, fault) => {
    expect(faultsOf(() => load({ argv }))[0]).toContain(fault);
  });

  it('reports faults of flags together with other faults, without values that may be secrets', () => {
    const faults = faultsOf(() =>
      load({
        argv: ['--bus.kafka.pasword=hidden', '--bus.kafka.passwort', 'hidden', '--bus.topic'],
        env: { PORT: 'many' },
      }),
    );
    expect(faults).toEqual([
      'the flag --bus.kafka.pasword is unknown: did you mean bus.kafka.password?',
      'the flag --bus.kafka.passwort is unknown: did you mean bus.kafka.password?',
      'the flag --bus.topic needs a value',
      expect.stringContaining('server.port: '),
    ]);
  });

  it('reports the origin of an item of a list', () => {
    writeFileSync(join(cwd, 'c.json'), '{"bus":{"kafka":{"brokers":["a:1",2]}}}');
    expect(faultsOf(() => load({ argv: ['--config=c.json'] }))[0]).toMatch(
      /^bus\.kafka\.brokers\.1: .*CARILLON_BUS_KAFKA_BROKERS or --bus\.kafka\.brokers\)/,
    );
    expect(faultsOf(() => load({ env: { CARILLON_BUS_KAFKA_BROKERS: '[2]' } }))[0]).toMatch(
      /^bus\.kafka\.brokers\.0: .*\(from CARILLON_BUS_KAFKA_BROKERS in the environment\)/,
    );
  });

  it('reports the place where a file is not valid JSON, without quoting the file', () => {
    writeFileSync(join(cwd, 'c.json'), '{\n  "bus": {"kafka": {"password": hidden}}\n}');
    expect(faultsOf(() => load({ argv: ['--config=c.json'] }))).toEqual([
      'the configuration file c.json is not valid JSON: not a JSON value at line 2, column 33',
    ]);
  });

  it('reads files that begin with a byte order mark', () => {
    expect(load({ dotEnv: '\uFEFFPORT=2' }).config.server.port).toBe(2);
    writeFileSync(join(cwd, 'c.json'), '\uFEFF{"bus":{"topic":"marked"}}');
    expect(load({ argv: ['--config=c.json'] }).config.bus.topic).toBe('marked');
  });

  it('reports a .env file that it cannot read', () => {
    mkdirSync(join(cwd, '.env'));
    expect(faultsOf(() => load({}))).toEqual(['cannot read the .env file (EISDIR): check the path']);
  });

  it('ignores a prototype in the file', () => {
    writeFileSync(
      join(cwd, 'c.json'),
      '{"__proto__":{"polluted":true},"bus":{"__proto__":{"topic":"evil"}}}',
    );
    const { config } = loadConfig({ schema, wellKnown: {}, argv: ['--config=c.json'], env: {}, cwd });
    expect(config.bus.topic).toBe('t');
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('returns a frozen configuration', () => {
    const { config } = load({});
    expect(Object.isFrozen(config.bus)).toBe(true);
  });
});
