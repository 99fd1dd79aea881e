import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { EventLog } from './event-log.js';

/** A call of one of the three functions. */
export interface FunctionCall {
  readonly step: 'register' | 'transport' | 'cleanup';
  readonly id: string;
  readonly event: {
    readonly requestContext?: Readonly<Record<string, unknown>>;
    readonly headers?: IncomingHttpHeaders;
    readonly queryString?: Readonly<Record<string, string>>;
    readonly pathParameters?: Readonly<Record<string, string>>;
    readonly websocket: {
      readonly action: string;
      readonly secConnectionID: string;
      readonly secWebSocketProtocol?: string;
      readonly dataType?: 'text' | 'binary';
      readonly data?: string;
    };
  };
}

export interface FunctionAnswer {
  readonly status?: number;
  readonly body?: unknown;
}

type Answering = (call: FunctionCall) => FunctionAnswer | Promise<FunctionAnswer>;

/** A backend with the three functions of a route, as a real HTTP server. */
export class FunctionBackend implements AsyncDisposable {
  readonly calls = new EventLog<FunctionCall>();
  /** How the functions answer. By default everything is fine. */
  answer: Answering = () => ({});

  private constructor(private readonly server: Server) {
    server.on('request', (request, response) => void this.#handle(request, response));
  }

  static async start(): Promise<FunctionBackend> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FunctionBackend(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** The settings of a route whose functions are here. */
  route(path: string, more: object = {}): object {
    const urls = Object.fromEntries(
      ['register', 'transport', 'cleanup'].map((step) => [step, `${this.url}/${step}`]),
    );
    return { path, ...urls, ...more };
  }

  of(step: FunctionCall['step'], id?: string): readonly FunctionCall[] {
    return this.calls.entries.filter((call) => call.step === step && (id === undefined || call.id === id));
  }

  /** Resolves when a function was called so many times. */
  async called(step: FunctionCall['step'], times: number, id?: string): Promise<readonly FunctionCall[]> {
    await this.calls.until(() => this.of(step, id).length >= times);
    return this.of(step, id);
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const event = JSON.parse(Buffer.concat(chunks).toString()) as FunctionCall['event'];
    const step = (request.url ?? '').slice(1) as FunctionCall['step'];
    const call = { step, id: event.websocket.secConnectionID, event };
    this.calls.add(call);
    const { status = 200, body = defaultAnswer(call) } = await this.answer(call);
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}

function defaultAnswer({ step, id }: FunctionCall): unknown {
  if (step !== 'register') return { errNo: 0 };
  return { errNo: 0, errMsg: 'ok', websocket: { action: 'connecting', secConnectionID: id } };
}
