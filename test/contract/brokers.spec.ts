import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setImmediate as immediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis, Cluster } from 'ioredis';
import { Kafka, logLevel } from 'kafkajs';
import { namedBy } from '../../scripts/brokers/provide.js';
import { processIdentity } from '../../scripts/brokers/process-identity.js';
import {
  describeWith,
  describeWithOwn,
  environmentOf,
  type RunningBroker,
  type RunningPulsar,
  sharedBroker,
  startKafka,
  startPulsar,
  startRedis,
  startRedisCluster,
  startRedisSentinel,
} from '../support/brokers.js';

async function withRedis<T>(url: string, use: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url, { retryStrategy: () => null });
  try {
    return await use(client);
  } finally {
    client.disconnect();
  }
}

async function topicsOf(url: string): Promise<string[]> {
  const admin = new Kafka({ brokers: url.split(','), logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    return await admin.listTopics();
  } finally {
    await admin.disconnect();
  }
}

describe('a broker in the environment', () => {
  it('is found in the variables that Carillon reads', () => {
    const kafka = { kind: 'kafka', url: 'a:9092,b:9092' } as const;
    expect(namedBy(environmentOf(kafka), 'kafka')).toEqual(kafka);
    const pulsar = { kind: 'pulsar', url: 'pulsar://a:6650', webUrl: 'http://b:80', token: 't' } as const;
    expect(namedBy(environmentOf(pulsar), 'pulsar')).toEqual(pulsar);
    expect(namedBy({ REDIS_URL: '' }, 'redis')).toBeUndefined();
  });

  it.each([
    ['pulsar://one:6650,two:6650', 'http://one:8080'],
    ['pulsar+ssl://one:6651', 'https://one:8443'],
    ['http://one:8081', 'http://one:8081'],
    ['wss://one', 'https://one'],
  ])('of which %s is the service has its admin API at %s', (url, webUrl) => {
    expect(namedBy({ PULSAR_SERVICE_URL: url }, 'pulsar')).toEqual({ kind: 'pulsar', url, webUrl });
  });
});

describeWith(['kafka', 'pulsar', 'redis'], 'Shared brokers', () => {
  it('are the same for all suites, and respond', async () => {
    const redis = await sharedBroker('redis');
    expect(await sharedBroker('redis')).toEqual(redis);
    await withRedis(redis.url, async (client) => expect(await client.ping()).toBe('PONG'));
    await expect(topicsOf((await sharedBroker('kafka')).url)).resolves.toEqual(expect.any(Array));
    const { webUrl } = await sharedBroker('pulsar');
    const health = await fetch(`${webUrl}/admin/v2/brokers/health`);
    expect(await health.text()).toBe('ok');
  });
});

describeWithOwn('redis', 'Redis of a suite', () => {
  it('keeps its data over a kill with an append-only file and a password', async () => {
    await using redis = await startRedis({ appendOnly: true, password: 'p@ss word' });
    await withRedis(redis.url, (client) => client.set('key', 'kept'));
    await redis.kill();
    await expect(withRedis(redis.url, (client) => client.ping())).rejects.toThrow('Connection is closed');
    await redis.restart();
    expect(await withRedis(redis.url, (client) => client.get('key'))).toBe('kept');
  });

  it('loses its data over a kill without an append-only file', async () => {
    await using redis = await startRedis();
    await withRedis(redis.url, (client) => client.set('key', 'lost'));
    await redis.stop();
    await redis.restart();
    expect(await withRedis(redis.url, (client) => client.get('key'))).toBeNull();
  });

  it('reports why it cannot start', async () => {
    await expect(startRedis({ args: ['--no-such-setting', 'yes'] })).rejects.toThrow('no-such-setting');
    await using redis = await startRedis();
    const port = Number(new URL(redis.url).port);
    await expect(startRedis({ port })).rejects.toThrow(`port ${port} is in use`);
  });

  it('forms a cluster of three masters', async () => {
    await using topology = await startRedisCluster();
    const cluster = new Cluster([...topology.nodes]);
    try {
      const keys = ['a', 'b', 'c', 'd', 'e', 'f'];
      await Promise.all(keys.map((key) => cluster.set(key, key)));
      expect(await Promise.all(keys.map((key) => cluster.get(key)))).toEqual(keys);
      expect(cluster.nodes('master')).toHaveLength(3);
    } finally {
      cluster.disconnect();
    }
  });

  it('fails over with its sentinel', async () => {
    await using topology = await startRedisSentinel();
    const { name, sentinels } = topology;
    const client = new Redis({ name, sentinels: [...sentinels], maxRetriesPerRequest: null });
    client.on('error', () => undefined);
    try {
      await client.set('before', 'x');
      await topology.brokers[0]?.kill();
      // The client waits until the sentinel names the new master.
      expect(await client.set('after', 'x')).toBe('OK');
      expect(topology.brokers[1]?.url).toContain(String((await topology.master()).port));
    } finally {
      client.disconnect();
    }
  });
});

describeWithOwn('kafka', 'Kafka of a suite', () => {
  let kafka: RunningBroker;
  beforeAll(async () => void (kafka = await startKafka()));
  afterAll(() => kafka.dispose());

  it.each(['stop', 'kill'] as const)('keeps its topics over a %s', async (end) => {
    const admin = new Kafka({ brokers: [kafka.url], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: `kept-over-${end}` }], waitForLeaders: true });
    await admin.disconnect();
    await kafka[end]();
    await kafka.restart();
    expect(await topicsOf(kafka.url)).toContain(`kept-over-${end}`);
  });
});

describeWithOwn('pulsar', 'Pulsar of a suite', () => {
  let pulsar: RunningPulsar;
  beforeAll(async () => void (pulsar = await startPulsar({ tokens: true })));
  afterAll(() => pulsar.dispose());

  const request = (path: string, token?: string, method = 'GET') =>
    fetch(`${pulsar.webUrl}/admin/v2/${path}`, {
      method,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });

  it('requires tokens', async () => {
    expect((await request('brokers/health')).status).toBe(401);
    expect((await request('brokers/health', pulsar.tokenFor('admin', Date.now() - 60_000))).status).toBe(401);
    expect(await (await request('brokers/health', pulsar.tokenFor('app'))).text()).toBe('ok');
  });

  it('keeps its topics over a kill', async () => {
    const created = await request('persistent/public/default/kept', pulsar.token, 'PUT');
    expect(created.status).toBe(204);
    await pulsar.kill();
    await pulsar.restart();
    const topics = await request('persistent/public/default', pulsar.token);
    expect(await topics.json()).toContain('persistent://public/default/kept');
  });
});

const cache = mkdtempSync(join(tmpdir(), 'carillon-brokers-'));
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(cache, { recursive: true, force: true });
});

/** Runs the command line with its own cache and no other variables, because variables of the shell may name a broker. */
function brokers(args: readonly string[], variables: Readonly<Record<string, string>> = {}) {
  const env: NodeJS.ProcessEnv = { PATH: process.env['PATH'], CARILLON_BROKERS_DIR: cache, ...variables };
  const child = spawn(process.execPath, [resolve('scripts/brokers/cli.ts'), ...args], { env });
  children.push(child);
  return { child, output: createInterface(child.stdout)[Symbol.asyncIterator]() };
}

/** Resolves with the lines up to the first one that contains the text. */
async function linesTo(output: AsyncIterator<string>, text: string): Promise<string[]> {
  const { done, value } = await output.next();
  if (done === true) throw new Error(`ended without saying ${text}`);
  return value.includes(text) ? [value] : [value, ...(await linesTo(output, text))];
}

describe('npm run brokers', () => {
  it('prints no variable of the environment, and no token', async () => {
    const named = { PULSAR_SERVICE_URL: 'pulsar://nowhere:6650', PULSAR_TOKEN: 'a-token' };
    const { child, output } = brokers(['--only', 'pulsar'], named);
    expect(await linesTo(output, 'Ctrl-C')).toEqual([
      '# pulsar: external, from the environment',
      '# Nothing was started. Ctrl-C ends this.',
    ]);
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('refuses an unknown broker', async () => {
    const { child } = brokers(['--only', 'rabbitmq']);
    expect(await once(child, 'exit')).toEqual([1, null]);
  });
});

describeWithOwn('redis', 'npm run brokers with Redis', () => {
  const start = async () => {
    const { child, output } = brokers(['--only', 'redis']);
    const exported = (await linesTo(output, 'export REDIS_URL=')).at(-1);
    const [run = ''] = readdirSync(join(cache, 'run'));
    const record = JSON.parse(readFileSync(join(cache, 'run', run, 'process.json'), 'utf8')) as {
      pid: number;
    };
    return { child, url: exported?.split("'")[1] ?? '', pid: record.pid };
  };

  it('prints the variables to export, and stops its brokers on Ctrl-C', async () => {
    const { child, url, pid } = await start();
    expect(await withRedis(url, (client) => client.ping())).toBe('PONG');
    child.kill('SIGINT');
    child.kill('SIGINT'); // npm passes on what the terminal has sent already
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(processIdentity(pid)).toBeUndefined();
    expect(readdirSync(join(cache, 'run'))).toEqual([]);
  });

  it('leaves no broker running when it is killed, and removes its data with stop', async () => {
    const { child, url, pid } = await start();
    const connection = new Redis(url, { retryStrategy: () => null });
    await once(connection, 'ready');
    child.kill('SIGKILL');
    await once(connection, 'end');
    // The kernel closes a dying process's sockets before the process is gone.
    while (processIdentity(pid) !== undefined) await immediate();
    expect((await linesTo(brokers(['stop']).output, 'stopped')).at(-1)).toMatch(/redis-\d+/);
    expect(readdirSync(join(cache, 'run'))).toEqual([]);
  });
});
