import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { describeWithOwn, startRedis } from '../../support/brokers.js';
import { callApi, inSeconds, token, writeConfiguration } from '../../clients/centrifugo.js';
import type { StreamPosition } from '../../clients/client-program.js';
import { VerifyingClient } from '../../clients/verifying-client.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { Server } from '../../support/server.js';

const STEPS = 250;
/** The history of the second channel is very short, so a client that is disconnected for long cannot recover. */
const CHANNELS = ['chat:news', 'brief:news'] as const;
const CLIENTS_PER_CHANNEL = 3;

/** A server process that restarts on the same port. */
class Node implements AsyncDisposable {
  #restart: Promise<void> | undefined;

  private constructor(
    private server: Server,
    private readonly configurationFile: string,
  ) {}

  static async start(configurationFile: string): Promise<Node> {
    return new Node(await Server.start({ args: ['--config', configurationFile] }), configurationFile);
  }

  get port(): number {
    return this.server.port;
  }

  get url(): string {
    return this.server.url;
  }

  /** Starts a restart, unless one is in progress. */
  restart(how: 'stop' | 'kill'): void {
    this.#restart ??= this.#replace(how).finally(() => (this.#restart = undefined));
  }

  /** Resolves when no restart is in progress. */
  async ready(): Promise<void> {
    await this.#restart;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#restart;
    await this.server[Symbol.asyncDispose]();
  }

  async #replace(how: 'stop' | 'kill'): Promise<void> {
    const { port } = this;
    await this.server[how]();
    await this.server[Symbol.asyncDispose]();
    this.server = await Server.start({ port, args: ['--config', this.configurationFile] });
  }
}

interface Fault {
  readonly weight: number;
  readonly inject: () => Promise<void> | void;
}

/** Injects {@link STEPS} random faults while the application publishes, and checks what the clients received. */
class RecoveryRun implements AsyncDisposable {
  readonly #random: SeededRandom;
  /** The data of every publication that the server confirmed, by channel and position. */
  readonly #confirmed = new Map<string, number>();
  readonly #faults: readonly Fault[];
  readonly #conflicts: string[] = [];
  #published = 0;

  constructor(
    title: string,
    private readonly nodes: readonly Node[],
    private readonly clients: readonly VerifyingClient[],
    private readonly redis: Redis | undefined,
  ) {
    const random = SeededRandom.fromEnvironment(title);
    this.#random = random;
    const anyClient = (): VerifyingClient => random.oneOf(clients);
    this.#faults = [
      { weight: 60, inject: () => this.#publishSome() },
      { weight: 10, inject: () => anyClient().proxy.resetConnections() },
      { weight: 10, inject: () => this.#isolate(anyClient()) },
      { weight: 10, inject: () => this.#reconnect(anyClient()) },
      { weight: 3, inject: () => this.#trim() },
      { weight: 1, inject: () => random.oneOf(nodes).restart(random.oneOf(['stop', 'kill'])) },
      { weight: redis === undefined ? 0 : 2, inject: () => this.#breakSubscriptions() },
      { weight: 4, inject: () => delay(random.below(50)) },
    ];
  }

  async injectFaults(): Promise<void> {
    const total = this.#faults.reduce((sum, { weight }) => sum + weight, 0);
    for (let step = 0; step < STEPS; step++) {
      let mark = this.#random.below(total);
      await this.#faults.find(({ weight }) => (mark -= weight) < 0)?.inject();
    }
  }

  /** Repairs everything. Resolves when every client has reached the end of its channel. */
  async recover(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.ready()));
    for (const { proxy } of this.clients) proxy.acceptConnections();
    for (const channel of CHANNELS) {
      const last = await this.#publish(channel);
      await Promise.all(
        this.clients.filter((each) => each.channel === channel).map((client) => client.reaches(last)),
      );
    }
  }

  get violations(): readonly string[] {
    return [...this.#conflicts, ...this.clients.flatMap((client) => this.#violationsOf(client))];
  }

  /** Includes publications that were received at a wrong position, or twice. */
  #violationsOf({ channel, received, violations }: VerifyingClient): readonly string[] {
    const found = [...violations];
    const known = new Set<unknown>();
    for (const { data, ...position } of received) {
      const key = keyOf(channel, position);
      const confirmed = this.#confirmed.get(key);
      if (confirmed !== undefined && confirmed !== data)
        found.push(`${key} is ${String(data)} and not ${confirmed}`);
      if (known.has(data)) found.push(`${String(data)} was received twice`);
      known.add(data);
    }
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.clients.map((each) => each[Symbol.asyncDispose]()));
    await Promise.all(this.nodes.map((each) => each[Symbol.asyncDispose]()));
    this.redis?.disconnect();
  }

  async #publishSome(): Promise<void> {
    const channel = this.#random.oneOf(CHANNELS);
    // One publication or several concurrent ones, through any node, including a node that is about to end.
    await Promise.allSettled(Array.from({ length: 1 + this.#random.below(4) }, () => this.#publish(channel)));
  }

  async #publish(channel: string): Promise<StreamPosition> {
    const data = ++this.#published;
    const { url } = this.#random.oneOf(this.nodes);
    const position = await callApi<StreamPosition>(url, 'publish', { channel, data });
    const key = keyOf(channel, position);
    if (this.#confirmed.has(key)) this.#conflicts.push(`two publications at ${key}`);
    this.#confirmed.set(key, data);
    return position;
  }

  async #trim(): Promise<void> {
    const channel = this.#random.oneOf(CHANNELS);
    await callApi(this.#random.oneOf(this.nodes).url, 'history_remove', { channel }).catch(() => {});
  }

  #isolate({ proxy }: VerifyingClient): void {
    proxy.refuseConnections();
    proxy.resetConnections();
  }

  /** Lets the client connect to any node, as a load balancer does. */
  #reconnect({ proxy }: VerifyingClient): void {
    proxy.acceptConnections();
    proxy.targetPort = this.#random.oneOf(this.nodes).port;
  }

  /** The nodes lose the messages of Redis until they have subscribed again. */
  async #breakSubscriptions(): Promise<void> {
    await this.redis?.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
  }
}

function keyOf(channel: string, { epoch, offset }: StreamPosition): string {
  return `${channel} ${epoch} ${offset}`;
}

async function verifyRecovery(title: string, replicas: number, redisUrl?: string): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'carillon-recovery-'));
  try {
    const file = writeConfiguration(directory, redisUrl);
    const nodes = await Promise.all(Array.from({ length: replicas }, () => Node.start(file)));
    const connectionToken = await token({ sub: 'anna', exp: inSeconds(3_600) });
    const clients = await Promise.all(
      CHANNELS.flatMap((channel) =>
        Array.from({ length: CLIENTS_PER_CHANNEL }, (_, i) =>
          VerifyingClient.connect(nodes[i % replicas]?.port ?? 0, channel, connectionToken),
        ),
      ),
    );
    await using run = new RecoveryRun(
      title,
      nodes,
      clients,
      redisUrl === undefined ? undefined : new Redis(redisUrl),
    );
    await run.injectFaults();
    await run.recover();
    expect(run.violations).toEqual([]);
    expect(clients.some(({ failedRecoveries }) => failedRecoveries > 0)).toBe(true);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

describe('recovery on one process', () => {
  // oxlint-disable-next-line jest/expect-expect -- verifyRecovery expects
  it('reports every loss, and delivers everything else once and in order', () =>
    verifyRecovery('recovery in memory', 1));
});

describeWithOwn('redis', 'recovery on three processes with Redis', () => {
  // oxlint-disable-next-line jest/expect-expect -- verifyRecovery expects
  it('reports every loss, and delivers everything else once and in order', async () => {
    await using redis = await startRedis();
    await verifyRecovery('recovery with Redis', 3, redis.url);
  });
});
