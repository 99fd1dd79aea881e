import { fork, type ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { WebSocket } from 'ws';
import { freePort } from '../../scripts/brokers/ports.ts';
import { WAIT_MS } from './wait-ms.ts';

const MAIN = resolve(import.meta.dirname, '../../dist/main.js');

export interface ServerOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** Working directory, which has the embedded files. Default: a new temporary directory. */
  readonly cwd?: string;
  readonly port?: number;
  /** Most file descriptors of the process. */
  readonly maxDescriptors?: number;
}

/** The built program in its own process, as a user starts it. It has no configuration except the given options. */
export class Server implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #output: string[] = [];
  readonly #writing = new EventEmitter();

  private constructor(
    process: ChildProcess,
    readonly port: number,
    readonly cwd: string,
    private readonly ownsCwd: boolean,
  ) {
    this.#process = process;
    for (const stream of [process.stdout, process.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output.push(text);
        this.#writing.emit('output');
      });
  }

  /** Resolves when the process reports that it is ready. */
  static async start(options: ServerOptions = {}): Promise<Server> {
    const server = await Server.spawn(options);
    const [ready] = (await Promise.race([
      once(server.#process, 'message'),
      once(server.#process, 'exit'),
    ])) as [unknown];
    if (ready !== 'ready') throw new Error(`the server exited before it was ready:\n${server.output}`);
    return server;
  }

  /** Starts the process without waiting until it is ready. */
  static async spawn(options: ServerOptions = {}): Promise<Server> {
    const port = options.port ?? (await freePort());
    const cwd = options.cwd ?? mkdtempSync(join(tmpdir(), 'carillon-'));
    const { maxDescriptors } = options;
    const process = fork(MAIN, options.args ?? [], {
      ...(maxDescriptors !== undefined ? { execPath: withDescriptors(cwd, maxDescriptors) } : {}),
      cwd,
      env: { PATH: globalThis.process.env.PATH, PORT: String(port), ...options.env },
      execArgv: [],
      silent: true,
    });
    return new Server(process, port, cwd, options.cwd === undefined);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get output(): string {
    return this.#output.join('');
  }

  /** Resolves when the output matches the pattern at least so many times. */
  async says(pattern: RegExp, times = 1): Promise<void> {
    const everywhere = new RegExp(pattern, `${pattern.flags}g`);
    while ((this.output.match(everywhere)?.length ?? 0) < times) await once(this.#writing, 'output');
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Resolves with the exit code, or with the signal that ended the process. */
  async exited(): Promise<number | string> {
    if (this.#process.exitCode === null && this.#process.signalCode === null)
      await once(this.#process, 'exit');
    return this.#process.exitCode ?? this.#process.signalCode ?? 0;
  }

  /** Sends SIGTERM. Resolves when the process has exited. */
  async stop(): Promise<number | string> {
    this.#process.kill('SIGTERM');
    return this.exited();
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.exited();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    if (this.ownsCwd) rmSync(this.cwd, { recursive: true, force: true });
  }

  /** Opens a raw socket at `/message`. */
  async connect(userAgent: string, headers: Readonly<Record<string, string>> = {}): Promise<RawClient> {
    return RawClient.open(`ws://127.0.0.1:${this.port}/message`, { 'user-agent': userAgent, ...headers });
  }

  async trigger(
    body: string,
    options: { query?: string; userAgent?: string; headers?: Readonly<Record<string, string>> } = {},
  ): Promise<Response> {
    return fetch(`${this.url}/trigger${options.query ? `?${options.query}` : ''}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(options.userAgent ? { 'user-agent': options.userAgent } : {}),
        ...options.headers,
      },
      body,
    });
  }
}

/** Writes a program that runs Node with fewer file descriptors. Its children inherit the limit. */
function withDescriptors(directory: string, count: number): string {
  const path = join(directory, 'node-with-few-descriptors');
  writeFileSync(path, `#!/bin/sh\nulimit -n ${count} && exec '${process.execPath}' "$@"\n`, { mode: 0o755 });
  return path;
}

export interface ReceivedText {
  readonly text: string;
  /** Unix time in ms. */
  readonly at: number;
}

/** A client of the raw socket that keeps all messages. */
export class RawClient {
  readonly received: ReceivedText[] = [];
  /** The id of the connection. The first eight characters identify the server process. */
  id = '';
  #waiting: (() => void)[] = [];

  private constructor(readonly socket: WebSocket) {
    socket.on('upgrade', ({ headers }) => {
      this.id = String(headers['carillon-connection-id']);
    });
    socket.on('message', (data: Buffer) => {
      this.received.push({ text: data.toString(), at: Date.now() });
      for (const wake of this.#waiting.splice(0)) wake();
    });
    socket.on('error', () => {});
  }

  static async open(url: string, headers: Readonly<Record<string, string>>): Promise<RawClient> {
    const client = new RawClient(new WebSocket(url, { headers }));
    await once(client.socket, 'open');
    return client;
  }

  /** Resolves when `count` messages have arrived in total. */
  async receives(count: number): Promise<readonly ReceivedText[]> {
    await this.until(() => this.received.length >= count);
    return this.received;
  }

  /** Resolves when `done` returns true. It is called now and after every message. */
  async until(done: () => boolean): Promise<void> {
    const deadline = AbortSignal.timeout(WAIT_MS);
    while (!done()) {
      const { promise, resolve: wake, reject } = Promise.withResolvers<void>();
      this.#waiting.push(wake);
      const onTimeout = (): void =>
        reject(new Error(`only ${this.received.length} messages after ${WAIT_MS} ms`));
      deadline.addEventListener('abort', onTimeout, { once: true });
      await promise;
      deadline.removeEventListener('abort', onTimeout);
    }
  }

  async closed(): Promise<{ code: number; reason: string }> {
    const [code, reason] = (await once(this.socket, 'close')) as [number, Buffer];
    return { code, reason: reason.toString() };
  }

  async close(): Promise<void> {
    this.socket.close();
    if (this.socket.readyState !== WebSocket.CLOSED) await once(this.socket, 'close');
  }
}
