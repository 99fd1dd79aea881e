import { once } from 'node:events';
import { WebSocket, type ClientOptions } from 'ws';
import { WAIT_MS } from './wait-ms.ts';

/** A client of the JSON protocol that speaks only as it is told, and keeps what comes. */
export class ProtocolClient {
  /** Messages that nobody has taken yet, without pings. */
  readonly messages: string[] = [];
  pings = 0;
  closed: { readonly code: number; readonly reason: string } | undefined;

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => {
      for (const line of data.toString().split('\n')) {
        if (line === '{}') this.pings++;
        else this.messages.push(line);
      }
      socket.emit('news');
    });
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
      socket.emit('news');
    });
    socket.on('error', () => {});
  }

  static async open(
    url: string,
    subprotocols: readonly string[] = [],
    options: ClientOptions = {},
  ): Promise<ProtocolClient> {
    const client = new ProtocolClient(new WebSocket(url, [...subprotocols], options));
    await once(client.socket, 'open');
    return client;
  }

  send(frame: string | Buffer | object, binary = false): void {
    const isRaw = typeof frame === 'string' || Buffer.isBuffer(frame);
    this.socket.send(isRaw ? frame : JSON.stringify(frame), { binary });
  }

  /** The next message that is no ping. */
  async next(): Promise<string> {
    await this.#until(() => this.messages.length > 0);
    return this.messages.shift()!;
  }

  async nextObject(): Promise<Record<string, unknown>> {
    return JSON.parse(await this.next()) as Record<string, unknown>;
  }

  /** Sends a command and answers the reply to it; pushes before it stay. */
  async request(
    command: { readonly id: number } & Record<string, unknown>,
  ): Promise<Record<string, unknown>> {
    this.send(command);
    const isAnswer = (text: string) => text.startsWith(`{"id":${command.id},`);
    await this.#until(() => this.messages.some(isAnswer));
    const [answer] = this.messages.splice(this.messages.findIndex(isAnswer), 1);
    return JSON.parse(answer!) as Record<string, unknown>;
  }

  async ping(): Promise<void> {
    await this.#until(() => this.pings > 0);
    this.pings--;
  }

  async ended(): Promise<{ readonly code: number; readonly reason: string }> {
    await this.#until(() => this.closed !== undefined, true);
    return this.closed!;
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.ended();
  }

  async #until(done: () => boolean, mayBeClosed = false): Promise<void> {
    const signal = AbortSignal.timeout(WAIT_MS);
    while (!done()) {
      if (!mayBeClosed && this.closed) throw new Error(`closed with ${JSON.stringify(this.closed)}`);
      await once(this.socket, 'news', { signal });
    }
  }
}
