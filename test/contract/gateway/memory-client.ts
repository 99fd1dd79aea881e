import { ConnectionAcceptor } from '../../../src/gateway/connection/connection-acceptor.js';
import { GATEWAY_MODULE_OPTIONS, type GatewayModuleOptions } from '../../../src/gateway/index.js';
import { Protocols } from '../../../src/gateway/protocols/protocols.js';
import type { Server } from '../../support/gateway-app.js';
import { Kind, memoryFraming, MemoryTransport, type MemoryReceiver } from './memory.transport.js';
import type { ClientOptions, TransportClient } from './transport.contract.js';

/** The client's end of a transport in memory. */
class MemoryClient implements TransportClient, MemoryReceiver {
  readonly transport: MemoryTransport;
  readonly received: string[] = [];
  readonly #closed = Promise.withResolvers<{ code: number; reason: string }>();
  readonly #waiting: { readonly isDone: () => boolean; readonly resolve: () => void }[] = [];
  #pings = 0;

  constructor(
    closeTimeoutMs: number,
    private readonly answersPings: boolean,
  ) {
    this.transport = new MemoryTransport(this, closeTimeoutMs);
  }

  get closed(): Promise<{ code: number; reason: string }> {
    return this.#closed.promise;
  }

  async messages(count: number): Promise<readonly string[]> {
    await this.#when(() => this.received.length >= count);
    return this.received;
  }

  pings(count: number): Promise<void> {
    return this.#when(() => this.#pings >= count);
  }

  send(message: string): void {
    this.transport.fromClient(message);
  }

  stopReading(): void {
    this.transport.stream.isReading = false;
  }

  startReading(): void {
    this.transport.stream.read();
  }

  close(code: number): void {
    this.transport.closeFromClient(code);
  }

  vanish(): void {
    this.transport.terminate();
  }

  onFrame(kind: number, payload: Buffer): void {
    if (kind === Kind.text || kind === Kind.bytes) this.received.push(payload.toString());
    if (kind === Kind.ping) {
      this.#pings++;
      if (this.answersPings) setImmediate(() => this.transport.pongFromClient());
    }
    if (kind === Kind.close) {
      const close = JSON.parse(payload.toString()) as { code: number; reason: string };
      this.#closed.resolve(close);
      this.transport.closeFromClient(close.code);
    }
    for (const { isDone, resolve } of this.#waiting) if (isDone()) resolve();
  }

  onEnd(): void {
    this.#closed.resolve({ code: 1006, reason: '' });
  }

  #when(isDone: () => boolean): Promise<void> {
    if (isDone()) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ isDone, resolve });
    return promise;
  }
}

/** Connects without a request: the acceptor needs nothing of HTTP but headers and an address. */
export async function connectInMemory(
  { app }: Server,
  { answersPings = true }: ClientOptions = {},
): Promise<TransportClient> {
  const { closeTimeoutMs } = app.get<GatewayModuleOptions>(GATEWAY_MODULE_OPTIONS);
  const match = app.get(Protocols).match('/chat');
  if (match === undefined) throw new Error('the protocol of the test is not served');
  const { definition, protocol, params } = match;
  const accepted = Promise.withResolvers<TransportClient>();
  void app
    .get(ConnectionAcceptor)
    .accept(
      { headers: {}, socket: { remoteAddress: '127.0.0.1' }, url: '/chat' },
      { protocol: definition, framing: memoryFraming, params },
      protocol,
      {
        accept(connection) {
          const client = new MemoryClient(closeTimeoutMs, answersPings);
          connection.open(client.transport);
          accepted.resolve(client);
        },
        refuse: ({ status, message }) => accepted.reject(new Error(`${status} ${message}`)),
      },
    );
  return accepted.promise;
}
