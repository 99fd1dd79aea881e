import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningBroker, startRedis } from '../support/brokers.ts';
import { Server } from '../support/server.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { callApi, writeConfiguration } from './centrifugo.ts';

export type Engine = 'memory' | 'redis';

/** The servers under test: one process, or several that share a Redis. Clients reach the first one through a proxy. */
export class ServerFixture implements AsyncDisposable {
  readonly #args: readonly string[];

  private constructor(
    readonly engine: Engine,
    /** Between the clients and the first server. */
    readonly proxy: TcpProxy,
    /** Clients connect to the first one. API calls go to the last one. */
    readonly servers: Server[],
    private readonly directory: string,
    configurationFile: string,
    private readonly redis: RunningBroker | undefined,
  ) {
    this.#args = ['--config', configurationFile];
  }

  static async start(engine: Engine, replicas: number): Promise<ServerFixture> {
    const directory = mkdtempSync(join(tmpdir(), 'carillon-clients-'));
    const redis = engine === 'redis' ? await startRedis() : undefined;
    const file = writeConfiguration(directory, redis?.url);
    const args = ['--config', file];
    const servers = await Promise.all(Array.from({ length: replicas }, () => Server.start({ args })));
    const proxy = await TcpProxy.open(servers[0]?.port ?? 0);
    return new ServerFixture(engine, proxy, servers, directory, file, redis);
  }

  /** The URL of the first server, through the proxy. */
  get url(): string {
    return socketUrl(this.proxy.port);
  }

  /** The URL of the last server, without the proxy. With one replica, it is the same server as that of `url`. */
  get otherReplicaUrl(): string {
    return socketUrl(this.#last.port);
  }

  /** Calls the server API of the last server. */
  async api<Result = unknown>(method: string, request: object): Promise<Result> {
    return callApi<Result>(this.#last.url, method, request);
  }

  /** Ends the first server and points the proxy to the next one. If there is only one, a new one replaces it. */
  async replaceServer(how: 'stop' | 'kill'): Promise<void> {
    const [first] = this.servers.splice(0, 1) as [Server];
    await first[how]();
    if (this.servers.length < 2) this.servers.unshift(await Server.start({ args: this.#args }));
    this.proxy.targetPort = this.servers[0]?.port ?? 0;
    await first[Symbol.asyncDispose]();
  }

  /** Starts new servers for those that {@link replaceServer} ended. */
  async restoreReplicas(count: number): Promise<void> {
    while (this.servers.length < count) this.servers.push(await Server.start({ args: this.#args }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy[Symbol.asyncDispose]();
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
