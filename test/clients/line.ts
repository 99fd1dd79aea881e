import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** The network between clients and a server: what a test cuts, and turns to another server as a load balancer does. */
export class Line implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isOpen = true;

  private constructor(public targetPort: number) {
    this.#server = createServer((socket) => this.#forward(socket));
  }

  static async open(targetPort: number): Promise<Line> {
    const line = new Line(targetPort);
    line.#server.listen(0, '127.0.0.1');
    await once(line.#server, 'listening');
    return line;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Nobody gets through any more; who is connected stays so. */
  refuse(): void {
    this.#isOpen = false;
  }

  /** Every connection breaks, without a word to either side. */
  cut(): void {
    for (const socket of this.#sockets) reset(socket);
  }

  mend(): void {
    this.#isOpen = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.cut();
    await once(this.#server, 'close');
  }

  #forward(client: Socket): void {
    this.#keep(client);
    if (!this.#isOpen) {
      reset(client);
      return;
    }
    const server = connect(this.targetPort, '127.0.0.1');
    this.#keep(server);
    client.pipe(server).pipe(client);
    client.on('close', () => server.destroy());
    server.on('close', () => client.destroy());
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
  }
}

/** Node never closes a socket that is reset while its end is being sent, and then cannot exit. */
function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
