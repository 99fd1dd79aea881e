import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningBroker, startRedis } from '../support/brokers.ts';
import { Server } from '../support/server.ts';
import { callApi, writeConfiguration } from './centrifugo.ts';
import { Line } from './line.ts';

export type Engine = 'memory' | 'redis';

/** The server that scenarios are played on: one process, or several that share a Redis. */
export class Stage implements AsyncDisposable {
  readonly #args: readonly string[];

  private constructor(
    readonly engine: Engine,
    /** Between the clients and the first server. */
    readonly line: Line,
    /** The clients are on the first, the API is asked on the last. */
    readonly servers: Server[],
    private readonly directory: string,
    configurationFile: string,
    private readonly redis: RunningBroker | undefined,
  ) {
    this.#args = ['--config', configurationFile];
  }

  static async set(engine: Engine, replicas: number): Promise<Stage> {
    const directory = mkdtempSync(join(tmpdir(), 'carillon-stage-'));
    const redis = engine === 'redis' ? await startRedis() : undefined;
    const file = writeConfiguration(directory, redis?.url);
    const args = ['--config', file];
    const servers = await Promise.all(Array.from({ length: replicas }, () => Server.start({ args })));
    const line = await Line.open(servers[0]?.port ?? 0);
    return new Stage(engine, line, servers, directory, file, redis);
  }

  /** Where clients connect. */
  get url(): string {
    return socketUrl(this.line.port);
  }

  /** A way in to another process than that of the other clients, where there is one. It is never cut. */
  get farUrl(): string {
    return socketUrl(this.#last.port);
  }

  /** Asks another process than the clients are on, where there is one. */
  async api<Result = unknown>(method: string, request: object): Promise<Result> {
    return callApi<Result>(this.#last.url, method, request);
  }

  /** Ends the process that the clients are on. From then on their line leads to the next, or to a new one in its place. */
  async replaceServer(how: 'stop' | 'kill'): Promise<void> {
    const [first] = this.servers.splice(0, 1) as [Server];
    await first[how]();
    if (this.servers.length < 2) this.servers.unshift(await Server.start({ args: this.#args }));
    this.line.targetPort = this.servers[0]?.port ?? 0;
    await first[Symbol.asyncDispose]();
  }

  /** Starts anew what {@link replaceServer} ended. */
  async refill(replicas: number): Promise<void> {
    while (this.servers.length < replicas) this.servers.push(await Server.start({ args: this.#args }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.line[Symbol.asyncDispose]();
    await Promise.all(this.servers.map((server) => server[Symbol.asyncDispose]()));
    await this.redis?.dispose();
    rmSync(this.directory, { recursive: true, force: true });
  }

  get #last(): Server {
    return this.servers.at(-1) as Server;
  }
}

function socketUrl(port: number): string {
  return `ws://127.0.0.1:${port}/connection/websocket`;
}
