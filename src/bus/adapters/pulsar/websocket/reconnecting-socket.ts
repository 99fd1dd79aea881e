import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket, type ClientOptions } from 'ws';
import { every } from '../../../../async/index.js';
import { reconnectDelayMs } from '../reconnect-delay.js';
import type { ConnectionStatus } from '../connection-status.js';
import type { PulsarDriverOptions } from '../pulsar.options.js';

export type SocketOptions = PulsarDriverOptions & {
  readonly ca?: Buffer;
  /** Pause after an attempt that failed, in ms. Default: one that grows. */
  readonly restartDelayMs?: number | undefined;
};

export interface SocketEvents {
  opened(): void;
  /** Receives a parsed frame. If it throws, the connection is closed: the peer does not speak the expected API. */
  received(frame: unknown): void;
  /** An open connection ended. */
  lost(reason: string): void;
  /** An attempt to connect failed. Another one follows. */
  failed(reason: string): void;
}

/** A socket to one endpoint of Pulsar's WebSocket API. It reconnects until it is closed. */
export class ReconnectingSocket {
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #socket: WebSocket | undefined;
  #failure: string | undefined;
  /** Ends the open connection. */
  #terminate: (reason: string) => void = () => {};

  /** @param path below `/ws/v2`, with its query */
  constructor(
    private readonly path: string,
    private readonly options: SocketOptions,
    private readonly status: ConnectionStatus,
    private readonly events: SocketEvents,
  ) {
    this.#running = this.#run();
  }

  get isOpen(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Why the last attempt to connect failed; undefined while connected, and before the first attempt has failed. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** @returns whether there was a connection to send on */
  send(text: string): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(text);
    return true;
  }

  /** @returns whether there was a connection. Another one follows. */
  reconnect(reason: string): boolean {
    if (!this.isOpen) return false;
    this.#terminate(reason);
    return true;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    for (let attempt = 1; !signal.aborted; attempt++) {
      const started = Date.now();
      const ended = await this.#connect();
      if (signal.aborted) break;
      this.status.down(this, ended.reason);
      if (ended.wasOpen) {
        this.events.lost(ended.reason);
        // A connection that lasted restarts the backoff. One that was closed at once does not.
        if (Date.now() - started > this.options.reconnectMaxDelayMs) attempt = 1;
      } else {
        this.#failure = ended.reason;
        this.events.failed(ended.reason);
      }
      const { restartDelayMs } = this.options;
      const pauseMs =
        ended.wasOpen || restartDelayMs === undefined
          ? reconnectDelayMs(attempt, this.options)
          : restartDelayMs;
      await delay(pauseMs, undefined, { signal }).catch(() => {});
    }
    this.status.closed(this);
  }

  /** Opens one connection. Resolves when it ended; never rejects. */
  #connect(): Promise<{ wasOpen: boolean; reason: string }> {
    const { promise, resolve } = Promise.withResolvers<{ wasOpen: boolean; reason: string }>();
    const socket = new WebSocket(endpoint(this.options.serviceUrl, this.path), this.#clientOptions());
    let wasOpen = false;
    let reason: string | undefined;
    const terminate = (why: string): void => {
      reason ??= why;
      socket.terminate();
    };
    const heartbeat = this.#heartbeat(socket, terminate);
    const close = () => {
      socket.close(1000);
      // The closing handshake flushes what was sent last. A dead peer does not complete it.
      setTimeout(() => socket.terminate(), 1_000).unref();
    };
    this.#stop.signal.addEventListener('abort', close, { once: true });
    socket.on('open', () => {
      wasOpen = true;
      this.#socket = socket;
      this.#terminate = terminate;
      this.#failure = undefined;
      this.status.up(this);
      this.events.opened();
    });
    socket.on('message', (data: Buffer) => {
      try {
        this.events.received(JSON.parse(data.toString()));
      } catch (error) {
        terminate(`it sent a frame that cannot be parsed: ${String(error)}`);
      }
    });
    socket.on('unexpected-response', (_request, response) => terminate(refusal(response.statusCode ?? 0)));
    socket.on('error', (error) => (reason ??= error.message || String(error)));
    socket.on('close', (code, text) => {
      clearInterval(heartbeat);
      this.#stop.signal.removeEventListener('abort', close);
      this.#socket = undefined;
      reason ??= `the connection was closed (${code}${text.length > 0 ? ` ${text.toString()}` : ''})`;
      resolve({ wasOpen, reason });
    });
    if (this.#stop.signal.aborted) close();
    return promise;
  }

  /**
   * Pings the peer. Anything that arrives proves that it is alive; after two silent intervals the connection is
   * closed.
   */
  #heartbeat(socket: WebSocket, terminate: (reason: string) => void): NodeJS.Timeout {
    let silent = 0;
    for (const event of ['message', 'pong', 'ping'] as const) socket.on(event, () => (silent = 0));
    return every('heartbeat of a connection to Pulsar', this.options.pingIntervalMs, () => {
      if (socket.readyState !== WebSocket.OPEN) return;
      if (silent++ >= 2) {
        terminate(`it has been silent for ${2 * this.options.pingIntervalMs} ms`);
      } else {
        socket.ping();
      }
    });
  }

  #clientOptions(): ClientOptions {
    const { token, ca, connectTimeoutMs } = this.options;
    return {
      handshakeTimeout: connectTimeoutMs,
      perMessageDeflate: false,
      ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
      ...(ca === undefined ? {} : { ca }),
    };
  }
}

function endpoint(serviceUrl: string, path: string): string {
  return `${serviceUrl.replace(/^http/, 'ws').replace(/\/+$/, '')}/ws/v2/${path}`;
}

function refusal(status: number): string {
  switch (status) {
    case 401:
      return 'it does not accept the token (HTTP 401): check that one is set, that it is valid and not expired';
    case 403:
      return "the token's role is not allowed to use this topic (HTTP 403)";
    case 404:
      return "the namespace or topic does not exist, or this is not Pulsar's WebSocket API (HTTP 404)";
    default:
      return `it refuses the connection (HTTP ${status})`;
  }
}
