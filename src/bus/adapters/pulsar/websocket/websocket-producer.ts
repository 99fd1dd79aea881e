import { BrokerUnavailableError, BusClosedError, RecordRefusedError } from '../../../bus.errors.js';
import type { PulsarLinks } from '../links.js';
import { PulsarSocket, type PulsarSocketOptions } from './socket.js';
import type { PulsarTopic } from '../topic.js';
import type { PulsarProducer, PulsarSend } from '../transport.js';

interface Pending {
  readonly context: string;
  readonly frame: string;
  readonly settle: (error?: Error) => void;
}

/** What the broker answers to a message; `context` is the one that the message was sent with. */
interface Answer {
  readonly result: string;
  readonly errorMsg?: string;
  readonly errorCode?: number;
  readonly context?: string;
}

// `org.apache.pulsar.websocket.WebSocketError`
const PAYLOAD_ENCODING_ERROR = 7;

export class WebSocketProducer implements PulsarProducer {
  readonly #socket: PulsarSocket;
  readonly #waiting: Pending[] = [];
  readonly #inFlight = new Map<string, Pending>();
  readonly #sends = new Set<Promise<void>>();
  #lastContext = 0;
  #closing: Promise<void> | undefined;

  constructor(
    topic: PulsarTopic,
    private readonly options: PulsarSocketOptions,
    links: PulsarLinks,
  ) {
    const name = [topic.tenant, topic.namespace, topic.localName].map(encodeURIComponent).join('/');
    const query = new URLSearchParams({
      sendTimeoutMillis: String(options.sendTimeoutMs),
      // The same partition for a key whichever protocol its producer speaks.
      hashingScheme: 'Murmur3_32Hash',
      messageRoutingMode: 'RoundRobinPartition',
    });
    this.#socket = new PulsarSocket(`producer/persistent/${name}?${query.toString()}`, options, links, {
      opened: () => this.#flush(),
      received: (frame) => this.#answered(frame as Answer),
      lost: (reason) => this.#fail([...this.#inFlight.values()], reason),
      failed: (reason) => this.#fail(this.#waiting.splice(0), reason),
    });
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
    this.#closing ??= Promise.allSettled(this.#sends).then(() => this.#socket.close());
    return this.#closing;
  }

  #enqueue(context: string, frame: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const { sendTimeoutMs } = this.options;
    const settle = (error?: Error): void => {
      clearTimeout(timer);
      this.#inFlight.delete(context);
      if (error) reject(error);
      else resolve();
      this.#flush();
    };
    const pending = { context, frame, settle };
    const timer = setTimeout(() => {
      const index = this.#waiting.indexOf(pending);
      if (index >= 0) this.#waiting.splice(index, 1);
      settle(new BrokerUnavailableError('pulsar', `no answer within ${sendTimeoutMs} ms`));
    }, sendTimeoutMs);
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

  #answered({ result, errorMsg, errorCode, context }: Answer): void {
    // Undefined: it timed out here before.
    const pending = this.#inFlight.get(context ?? '');
    if (result === 'ok') return pending?.settle();
    const reason = errorMsg ?? result;
    const isRefused =
      errorCode === PAYLOAD_ENCODING_ERROR || /bigger than|maxMessageSize|exceeds/i.test(reason);
    pending?.settle(
      isRefused ? new RecordRefusedError(reason) : new BrokerUnavailableError('pulsar', reason),
    );
  }

  #fail(sends: readonly Pending[], reason: string): void {
    for (const { settle } of sends) settle(new BrokerUnavailableError('pulsar', reason));
  }
}

function frameOf({ payload, properties, key, deliverAt }: PulsarSend, context: string): string {
  // Unknown fields are ignored without a word: a misspelt `deliverAt` would deliver at once.
  return JSON.stringify({ payload: payload.toString('base64'), properties, key, deliverAt, context });
}
