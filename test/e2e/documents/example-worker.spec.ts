import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { BrokerStatus } from '../../../src/metrics/index.js';
import { closeRedis, openRedis, type RedisClient, redisDriverOptions } from '../../../src/redis/index.js';
import { describeWithOwn, type RunningBroker, startRedis } from '../../support/brokers.js';

/** `examples/worker.ts`, started as a user starts it. */
class Worker {
  #output = '';
  #watcher: (() => void) | undefined;
  readonly #exited: Promise<unknown>;

  private constructor(private readonly child: ChildProcess) {
    this.#exited = once(child, 'exit');
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
        this.#watcher?.();
      });
  }

  static async start(env: Readonly<Record<string, string>>): Promise<Worker> {
    const script = resolve(import.meta.dirname, '../../../examples/worker.ts');
    const worker = new Worker(
      spawn(process.execPath, [script], { env: { PATH: process.env['PATH'], ...env } }),
    );
    await Promise.race([
      worker.says('is ready'),
      worker.#exited.then(() => {
        throw new Error(`the worker exited before it was ready:\n${worker.#output}`);
      }),
    ]);
    return worker;
  }

  /** The records that its handler has received, as `partition key body`. */
  get handled(): string[] {
    return [...this.#output.matchAll(/^partition (\d+) {2}\S+ {2}(\S+) {2}(.*)$/gm)].map(
      ([, partition, key, body]) => `${partition} ${key} ${body}`,
    );
  }

  get partitions(): Set<string> {
    return partitionsOf(this.handled);
  }

  partitionsOf(body: string): Set<string> {
    return partitionsOf(this.handled.filter((each) => each.endsWith(` ${body}`)));
  }

  async says(text: string): Promise<void> {
    await this.until(() => this.#output.includes(text));
  }

  async until(fulfilled: () => boolean): Promise<void> {
    while (!fulfilled()) await new Promise<void>((wake) => (this.#watcher = wake));
  }

  async end(signal: NodeJS.Signals): Promise<unknown> {
    this.child.kill(signal);
    return this.#exited;
  }
}

function partitionsOf(handled: readonly string[]): Set<string> {
  return new Set(handled.map((each) => each.split(' ')[0] ?? ''));
}

describeWithOwn('redis', 'examples/worker.ts', () => {
  let redis: RunningBroker;
  let program: RedisClient;
  beforeAll(async () => {
    redis = await startRedis();
    program = await openRedis(redisDriverOptions.parse({ url: redis.url }), new BrokerStatus('program'));
  });
  afterAll(async () => {
    await closeRedis(program);
    await redis.dispose();
  });

  /** Appends records as another program does, which only needs to know how Carillon chooses the stream. */
  const append = async (body: string): Promise<string[]> => {
    const keys = Array.from({ length: 40 }, (_, index) => `room-${index}`);
    return Promise.all(
      keys.map(async (key) => {
        const partition = crc32(key) % 8;
        await program.xadd(`partition:${partition}`, '*', 'key', key, 'value', body);
        return `${partition} ${key} ${body}`;
      }),
    );
  };

  /** Waits until both workers have partitions. Before that, the first worker has all of them. */
  const whenShared = async (first: Worker, second: Worker): Promise<[Set<string>, Set<string>]> => {
    for (let round = 0; ; round++, await delay(200)) {
      const body = `round-${round}`;
      const appended = await append(body);
      const isHandled = () =>
        appended.every((each) => first.handled.includes(each) || second.handled.includes(each));
      await Promise.race([first.until(isHandled), second.until(isHandled)]);
      const [ofFirst, ofSecond] = [first.partitionsOf(body), second.partitionsOf(body)];
      if (ofFirst.size === 4 && ofSecond.size === 4) return [ofFirst, ofSecond];
    }
  };

  it('shares the streams with a second worker, and takes over when that one is killed', async () => {
    const env = { REDIS_URL: redis.url };
    const [first, second] = await Promise.all([Worker.start(env), Worker.start(env)]);
    const [ofFirst, ofSecond] = await whenShared(first, second);
    expect(ofFirst.isDisjointFrom(ofSecond)).toBe(true);
    expect(ofFirst.size + ofSecond.size).toBe(8);

    await second.end('SIGKILL');
    const taken = await append('two');
    await first.until(() => taken.every((each) => first.handled.includes(each)));
    expect(first.partitions.size).toBe(8);
    await first.end('SIGTERM');
    // It has released its leases, so the next worker does not have to wait for them to expire.
    expect(await program.hexists('{partition:0}:lease:workers', 'owner')).toBe(0);
  });

  it('reads the partitions of its WORKER_ID', async () => {
    const numbered = (id: string) =>
      Worker.start({ REDIS_URL: redis.url, GROUP: 'numbered', WORKER_ID: id, TOTAL_WORKERS: '2' });
    const [first, second] = await Promise.all([numbered('0'), numbered('1')]);
    await Promise.all([first, second].map((worker) => worker.until(() => worker.partitions.size === 4)));
    expect([...first.partitions].toSorted()).toEqual(['0', '2', '4', '6']);
    expect([...second.partitions].toSorted()).toEqual(['1', '3', '5', '7']);
    await Promise.all([first.end('SIGTERM'), second.end('SIGTERM')]);
  });
});
