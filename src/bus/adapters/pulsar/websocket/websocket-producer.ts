import { BrokerUnavailableError, BusClosedError, RecordRefusedError } from '../../../bus.errors.js';
import { Watchdog } from '../../../consumers/watchdog.js';
import type { ConnectionStatus } from '../connection-status.js';
import type { PulsarTopic } from '../topic.js';
import type { PulsarProducer, PulsarSend } from '../transport.js';
import { ReconnectingSocket, type SocketOptions } from './reconnecting-socket.js';

interface Pending {
  readonly context: string;
  readonly frame: string;
  readonly settle: (error?: Error) => void;
}

/** The broker's reply to a message. `context` is the value that was sent with the message. */
interface Reply {
  readonly result: string;
  readonly errorMsg?: string;
  readonly errorCode?: number;
  readonly context?: string;
}

// `org.apache.pulsar.websocket.WebSocketError`
const PAYLOAD_ENCODING_ERROR = 7;

export class WebSocketProducer implements PulsarProducer {
  readonly #socket: ReconnectingSocket;
  /** Sends that wait for a connection, or for one in flight to end. */
  readonly #waiting: Pending[] = [];
  readonly #inFlight = new Map<string, Pending>();
  readonly #sends = new Set<Promise<void>>();
  readonly #watchdog: Watchdog;
  #lastContext = 0;
  #closing: Promise<void> | undefined;

  constructor(
    topic: PulsarTopic,
    private readonly options: SocketOptions,
    status: ConnectionStatus,
  ) {
    this.#watchdog = new Watchdog(options.sendTimeoutMs);
    const name = [topic.tenant, topic.namespace, topic.localName].map(encodeURIComponent).join('/');
    const query = new URLSearchParams({
      sendTimeoutMillis: String(options.sendTimeoutMs),
      // A key must go to the same partition over both protocols.
      hashingScheme: 'Murmur3_32Hash',
      messageRoutingMode: 'RoundRobinPartition',
    });
    this.#socket = new ReconnectingSocket(
      `producer/persistent/${name}?${query.toString()}`,
      options,
      status,
      {
        opened: () => this.#flush(),
        received: (frame) => this.#received(frame as Reply),
        lost: (reason) => this.#fail([...this.#inFlight.values()], reason),
        failed: (reason) => this.#fail(this.#waiting.splice(0), reason),
      },
    );
  }

  send(message: PulsarSend): Promise<void> {
    if (this.#closing) return Promise.reject(new BusClosedError());
    const context = String(++this.#lastContext);
    const frame = frameOf(message, context);
    if (Buffer.byteLength(frame) > this.options.maxFrameBytes) {
      return Promise.reject(
        new RecordRefusedError(
          `a message of ${message.payload.length} bytes is too large for Pulsar's WebSocket API`,
        ),
      );
    }
    const { failure } = this.#socket;
    if (failure !== undefined) return Promise.reject(new BrokerUnavailableError('pulsar', failure));
    const sent = this.#enqueue(context, frame).finally(() => this.#sends.delete(sent));
    this.#sends.add(sent);
    this.#flush();
    return sent;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#sends);
    this.#watchdog.close();
    await this.#socket.close();
  }

  #enqueue(context: string, frame: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const { sendTimeoutMs } = this.options;
    const settle = (error?: Error): void => {
      release();
      this.#inFlight.delete(context);
      if (error) reject(error);
      else resolve();
      this.#flush();
    };
    const pending = { context, frame, settle };
    const release = this.#watchdog.watch(() => {
      const index = this.#waiting.indexOf(pending);
      if (index >= 0) this.#waiting.splice(index, 1);
      settle(new BrokerUnavailableError('pulsar', `no answer within ${sendTimeoutMs} ms`));
    });
    this.#waiting.push(pending);
    return promise;
  }

  #flush(): void {
    while (this.#inFlight.size < this.options.maxInFlight && this.#socket.isOpen) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#inFlight.set(next.context, next);
      this.#socket.send(next.frame);
    }
  }

  #received({ result, errorMsg, errorCode, context }: Reply): void {
    // Undefined if the send has timed out here.
    const pending = this.#inFlight.get(context ?? '');
    if (result === 'ok') return pending?.settle();
    const reason = errorMsg ?? result;
    const isRecordRefused =
      errorCode === PAYLOAD_ENCODING_ERROR || /bigger than|maxMessageSize|exceeds/i.test(reason);
    pending?.settle(
      isRecordRefused ? new RecordRefusedError(reason) : new BrokerUnavailableError('pulsar', reason),
    );
  }

  #fail(sends: readonly Pending[], reason: string): void {
    for (const { settle } of sends) settle(new BrokerUnavailableError('pulsar', reason));
  }
}

function frameOf({ payload, properties, key, deliverAt }: PulsarSend, context: string): string {
  // The proxy ignores unknown fields silently: with a misspelt `deliverAt` it would deliver at once.
  return JSON.stringify({ payload: payload.toString('base64'), properties, key, deliverAt, context });
}
