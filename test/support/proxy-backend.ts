import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request that the server made to its backend. The test answers it. */
export interface ProxyCall {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  answer(status: number, body: string): void;
}

/** A backend for the proxies of the server, in this process. Calls wait until the test takes and answers them. */
export class ProxyBackend implements AsyncDisposable {
  readonly #calls: ProxyCall[] = [];
  readonly #arrivals = new EventEmitter();

  private constructor(private readonly server: Server) {
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method = '', url: path = '', headers } = request;
        const body = Buffer.concat(chunks).toString();
        const answer = (status: number, text: string) =>
          response.writeHead(status, { 'content-type': 'application/json' }).end(text);
        this.#calls.push({ method, path, headers, body, answer });
        this.#arrivals.emit('call');
      });
    });
  }

  static async start(): Promise<ProxyBackend> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new ProxyBackend(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** The calls that the test has not taken yet. */
  get waiting(): number {
    return this.#calls.length;
  }

  /** Resolves with the next call, and takes it. */
  async next(): Promise<ProxyCall> {
    while (this.#calls.length === 0) await once(this.#arrivals, 'call');
    return this.#calls.shift()!;
  }

  /**
   * Takes the next call and answers it with 200 and a JSON object.
   * @param body a function, if the body depends on the time of the call
   */
  async answer(body: object | (() => object)): Promise<ProxyCall> {
    const call = await this.next();
    call.answer(200, JSON.stringify(typeof body === 'function' ? body() : body));
    return call;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}
