import { once } from 'node:events';
import { WebSocket, type ClientOptions } from 'ws';
import { WAIT_MS } from './wait-ms.ts';

/** A client of the Centrifugo protocol in JSON. It sends only what the test sends, and keeps all messages. */
export class ProtocolClient {
  /** Messages that the test has not taken yet, without pings. */
  readonly messages: string[] = [];
  pings = 0;
  closed: { readonly code: number; readonly reason: string } | undefined;

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => {
      for (const line of data.toString().split('\n')) {
        if (line === '{}') this.pings++;
        else this.messages.push(line);
      }
      socket.emit('change');
    });
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
      socket.emit('change');
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

  /** Resolves with the next message that is not a ping, and takes it. */
  async next(): Promise<string> {
    await this.#until(() => this.messages.length > 0);
    return this.messages.shift()!;
  }

  async nextObject(): Promise<Record<string, unknown>> {
    return JSON.parse(await this.next()) as Record<string, unknown>;
  }

  /** Sends a command. Resolves with its reply and takes it. Pushes before the reply stay in `messages`. */
  async request(
    command: { readonly id: number } & Record<string, unknown>,
  ): Promise<Record<string, unknown>> {
    this.send(command);
    const isReply = (text: string) => text.startsWith(`{"id":${command.id},`);
    await this.#until(() => this.messages.some(isReply));
    const [reply] = this.messages.splice(this.messages.findIndex(isReply), 1);
    return JSON.parse(reply!) as Record<string, unknown>;
  }

  /** Resolves when a ping has arrived, and takes it. */
  async ping(): Promise<void> {
    await this.#until(() => this.pings > 0);
    this.pings--;
  }

  /** Resolves when the connection is closed. */
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
      await once(this.socket, 'change', { signal });
    }
  }
}
