import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A line to a server whose answers are long on their way. */
export class SlowLine implements AsyncDisposable {
  readonly #sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly target: URL,
    private readonly delayMs: number,
  ) {
    server.on('connection', (client) => this.#connect(client));
  }

  static async to(target: URL, delayMs: number): Promise<SlowLine> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new SlowLine(server, target, delayMs);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  #connect(client: Socket): void {
    const server = connect(Number(this.target.port), this.target.hostname);
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => other.destroy());
    }
    client.on('data', (request) => server.write(request));
    server.on('data', (answer) => setTimeout(() => client.write(answer), this.delayMs));
  }
}
