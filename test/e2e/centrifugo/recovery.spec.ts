import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { describeWithOwn, startRedis } from '../../support/brokers.js';
import { callApi, inSeconds, token, writeConfiguration } from '../../clients/centrifugo.js';
import { Witness, type Place } from '../../clients/verifying-client.js';
import { Dice } from '../../support/seeded-random.js';
import { Server } from '../../support/server.js';

const STEPS = 250;
/** The history of the second holds next to nothing: who is away for long cannot recover. */
const CHANNELS = ['chat:news', 'brief:news'] as const;
const WITNESSES_PER_CHANNEL = 3;

/** A process that comes back on its port after each end. */
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

  /** Begins a restart, unless one is under way. */
  restart(how: 'stop' | 'kill'): void {
    this.#restart ??= this.#replace(how).finally(() => (this.#restart = undefined));
  }

  async isBack(): Promise<void> {
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

interface Misfortune {
  readonly weight: number;
  readonly befall: () => Promise<void> | void;
}

/** A run of {@link STEPS} random misfortunes, while the application goes on publishing. */
class Turmoil implements AsyncDisposable {
  readonly dice: Dice;
  /** What was published at which place, as far as the server answered. */
  readonly #ledger = new Map<string, number>();
  readonly #misfortunes: readonly Misfortune[];
  readonly #contradictions: string[] = [];
  #published = 0;

  constructor(
    title: string,
    private readonly nodes: readonly Node[],
    private readonly witnesses: readonly Witness[],
    private readonly redis: Redis | undefined,
  ) {
    this.dice = Dice.roll(title);
    const { dice } = this;
    const someone = (): Witness => dice.oneOf(witnesses);
    this.#misfortunes = [
      { weight: 60, befall: () => this.#publishSome() },
      { weight: 10, befall: () => someone().line.cut() },
      { weight: 10, befall: () => this.#isolate(someone()) },
      { weight: 10, befall: () => this.#reconnect(someone()) },
      { weight: 3, befall: () => this.#trim() },
      { weight: 1, befall: () => dice.oneOf(nodes).restart(dice.oneOf(['stop', 'kill'])) },
      { weight: redis === undefined ? 0 : 2, befall: () => this.#deafen() },
      { weight: 4, befall: () => delay(dice.below(50)) },
    ];
  }

  async rage(): Promise<void> {
    const total = this.#misfortunes.reduce((sum, { weight }) => sum + weight, 0);
    for (let step = 0; step < STEPS; step++) {
      let mark = this.dice.below(total);
      await this.#misfortunes.find(({ weight }) => (mark -= weight) < 0)?.befall();
    }
  }

  /** Everything works again, and everybody has heard of it. */
  async subside(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.isBack()));
    for (const { line } of this.witnesses) line.mend();
    for (const channel of CHANNELS) {
      const last = await this.#publish(channel);
      await Promise.all(
        this.witnesses.filter((each) => each.channel === channel).map((witness) => witness.reaches(last)),
      );
    }
  }

  get lies(): readonly string[] {
    return [...this.#contradictions, ...this.witnesses.flatMap((witness) => this.#liesTo(witness))];
  }

  /** What a witness was given that was not published there, or was given twice. */
  #liesTo({ channel, seen, faults }: Witness): readonly string[] {
    const lies = [...faults];
    const given = new Set<unknown>();
    for (const { data, ...place } of seen) {
      const key = keyOf(channel, place);
      const known = this.#ledger.get(key);
      if (known !== undefined && known !== data) lies.push(`${key} is ${String(data)} and not ${known}`);
      if (given.has(data)) lies.push(`${String(data)} came twice`);
      given.add(data);
    }
    return lies;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.witnesses.map((each) => each[Symbol.asyncDispose]()));
    await Promise.all(this.nodes.map((each) => each[Symbol.asyncDispose]()));
    this.redis?.disconnect();
  }

  async #publishSome(): Promise<void> {
    const channel = this.dice.oneOf(CHANNELS);
    // One after the other and at the same time, through any of the nodes, also through one that is about to end.
    await Promise.allSettled(Array.from({ length: 1 + this.dice.below(4) }, () => this.#publish(channel)));
  }

  async #publish(channel: string): Promise<Place> {
    const data = ++this.#published;
    const { url } = this.dice.oneOf(this.nodes);
    const place = await callApi<Place>(url, 'publish', {
      channel,
      data,
    });
    const key = keyOf(channel, place);
    if (this.#ledger.has(key)) this.#contradictions.push(`two publications at ${key}`);
    this.#ledger.set(key, data);
    return place;
  }

  async #trim(): Promise<void> {
    const channel = this.dice.oneOf(CHANNELS);
    await callApi(this.dice.oneOf(this.nodes).url, 'history_remove', { channel }).catch(() => {});
  }

  #isolate({ line }: Witness): void {
    line.refuse();
    line.cut();
  }

  /** As a load balancer does, to whichever node. */
  #reconnect({ line }: Witness): void {
    line.mend();
    line.targetPort = this.dice.oneOf(this.nodes).port;
  }

  /** The nodes lose what Redis sends them until they have subscribed anew. */
  async #deafen(): Promise<void> {
    await this.redis?.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
  }
}

function keyOf(channel: string, { epoch, offset }: Place): string {
  return `${channel} ${epoch} ${offset}`;
}

async function playOut(title: string, replicas: number, redisUrl?: string): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'carillon-recovery-'));
  try {
    const file = writeConfiguration(directory, redisUrl);
    const nodes = await Promise.all(Array.from({ length: replicas }, () => Node.start(file)));
    const pass = await token({ sub: 'witness', exp: inSeconds(3_600) });
    const witnesses = await Promise.all(
      CHANNELS.flatMap((channel) =>
        Array.from({ length: WITNESSES_PER_CHANNEL }, (_, i) =>
          Witness.call(nodes[i % replicas]?.port ?? 0, channel, pass),
        ),
      ),
    );
    await using turmoil = new Turmoil(
      title,
      nodes,
      witnesses,
      redisUrl === undefined ? undefined : new Redis(redisUrl),
    );
    await turmoil.rage();
    await turmoil.subside();
    expect(turmoil.lies).toEqual([]);
    expect(witnesses.some(({ gaps }) => gaps > 0)).toBe(true);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

describe('recovery on one process', () => {
  // oxlint-disable-next-line jest/expect-expect -- playOut expects
  it('tells no lies', () => playOut('recovery in memory', 1));
});

describeWithOwn('redis', 'recovery on three processes with Redis', () => {
  // oxlint-disable-next-line jest/expect-expect -- playOut expects
  it('tells no lies', async () => {
    await using redis = await startRedis();
    await playOut('recovery with Redis', 3, redis.url);
  });
});
