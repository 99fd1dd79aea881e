import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { EventLog } from './event-log.js';

/** A proxy in front of Pulsar's admin and WebSocket APIs that behaves as brokers with faults, or of other versions, do. */
export class PulsarProxy implements AsyncDisposable {
  /** The version that the broker reports. Default: its own. */
  version: string | undefined;
  /** Resets requests for the version otherwise. */
  answersVersion = true;
  /** Closes the connection of each consumer as soon as it is open. */
  closesConsumers = false;
  /** Drops the messages to consumers. To the broker they are delivered. */
  swallowsMessages = false;
  readonly #swallowed = new EventLog<string>();
  readonly #server: Server;
  readonly #webSockets = new WebSocketServer({ noServer: true });
  readonly #upstream: string;

  private constructor(webUrl: string) {
    this.#upstream = webUrl;
    this.#server = createServer((received, response) => this.#forwardRequest(received, response));
    this.#server.on('upgrade', (received, socket, head) => {
      this.#webSockets.handleUpgrade(received, socket, head, (client) =>
        this.#forwardFrames(client, received),
      );
    });
  }

  static async open(webUrl: string): Promise<PulsarProxy> {
    const proxy = new PulsarProxy(webUrl);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves when so many messages were dropped. */
  async swallowing(count: number): Promise<void> {
    await this.#swallowed.atLeast(count);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#webSockets.clients) client.terminate();
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  #forwardRequest(received: IncomingMessage, response: ServerResponse): void {
    if (received.url?.endsWith('/brokers/version')) {
      if (!this.answersVersion) {
        response.destroy();
        return;
      }
      if (this.version !== undefined) {
        response.end(this.version);
        return;
      }
    }
    const { method, headers, url } = received;
    const sent = request(this.#upstream + url, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    sent.on('error', () => response.destroy());
    received.pipe(sent);
  }

  #forwardFrames(client: WebSocket, { url = '' }: IncomingMessage): void {
    const isConsumer = url.includes('/consumer/');
    const upstream = new WebSocket(this.#upstream.replace(/^http/, 'ws') + url);
    const waiting: string[] = [];
    client.on('message', (data: Buffer) => {
      if (upstream.readyState === WebSocket.OPEN) upstream.send(data.toString());
      else waiting.push(data.toString());
    });
    upstream.on('open', () => {
      for (const frame of waiting) upstream.send(frame);
      if (isConsumer && this.closesConsumers) client.close(1011, 'broken');
    });
    upstream.on('message', (data: Buffer) => {
      if (isConsumer && this.swallowsMessages) this.#swallowed.add(data.toString());
      else client.send(data.toString());
    });
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on('close', () => to.terminate());
      from.on('error', () => to.terminate());
    }
  }
}
