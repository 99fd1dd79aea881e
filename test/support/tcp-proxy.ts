import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/**
 * A TCP proxy on loopback between a client and a server. A test can break its connections, make it silent, slow it down
 * or point it to another server.
 */
export class TcpProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isAccepting = true;
  #isSilent = false;

  private constructor(
    /** New connections go to this port. */
    public targetPort: number,
    private readonly replyDelayMs: number,
  ) {
    this.#server = createServer((client) => this.#forward(client));
  }

  /** @param options.replyDelayMs delays every chunk from the server by this time */
  static async open(targetPort: number, { replyDelayMs = 0 } = {}): Promise<TcpProxy> {
    const proxy = new TcpProxy(targetPort, replyDelayMs);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resets new connections from now on. Open ones are not affected. */
  refuseConnections(): void {
    this.#isAccepting = false;
  }

  acceptConnections(): void {
    this.#isAccepting = true;
  }

  /** Resets every open connection. */
  resetConnections(): void {
    for (const socket of this.#sockets) reset(socket);
  }

  /** Drops all bytes from now on, on open and on new connections, without closing any. */
  silence(): void {
    this.#isSilent = true;
  }

  /** Forwards the bytes of new connections again. A connection that was silenced stays silent. */
  unsilence(): void {
    this.#isSilent = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.resetConnections();
    await once(this.#server, 'close');
  }

  #forward(client: Socket): void {
    this.#track(client);
    if (!this.#isAccepting) {
      reset(client);
      return;
    }
    const server = connect(this.targetPort, '127.0.0.1');
    this.#track(server);
    let isSilenced = this.#isSilent;
    const forward = (from: Socket, to: Socket, delayMs: number): void => {
      const later = (action: () => void): void => void (delayMs > 0 ? setTimeout(action, delayMs) : action());
      from.on('data', (chunk) => {
        isSilenced ||= this.#isSilent;
        if (!isSilenced) later(() => to.write(chunk));
      });
      from.on('end', () => later(() => to.end()));
      from.on('close', () => to.destroy());
    };
    forward(client, server, 0);
    forward(server, client, this.replyDelayMs);
  }

  #track(socket: Socket): void {
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
