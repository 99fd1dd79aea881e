import { Centrifuge, type PublicationContext, type SubscribedContext } from 'centrifuge';
import { WebSocket } from 'ws';
import { EventLog } from '../support/event-log.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { WAIT_MS } from '../support/wait-ms.ts';
import type { StreamPosition } from './client-program.ts';

export interface ReceivedPublication extends StreamPosition {
  readonly data: unknown;
}

/**
 * A centrifuge-js client behind a proxy that verifies what the server claims. After a recovered subscription, no
 * publication may be missing. After a subscription that was not recovered, the publications start at the position that
 * the server named. Everything else is a violation.
 */
export class VerifyingClient implements AsyncDisposable {
  readonly violations: string[] = [];
  readonly received: ReceivedPublication[] = [];
  readonly #positions = new EventLog<StreamPosition>();
  readonly #client: Centrifuge;
  #epoch = '';
  #offset = 0;
  #failedRecoveries = 0;

  private constructor(
    readonly proxy: TcpProxy,
    readonly channel: string,
    token: string,
  ) {
    this.#client = new Centrifuge(`ws://127.0.0.1:${proxy.port}/connection/websocket`, {
      token,
      websocket: WebSocket,
      minReconnectDelay: 20,
      maxReconnectDelay: 200,
    });
    this.#client
      .newSubscription(channel, { minResubscribeDelay: 20, maxResubscribeDelay: 200 })
      .on('subscribed', (context) => this.#onSubscribed(context))
      .on('publication', (context) => this.#onPublication(context))
      .on('unsubscribed', ({ code, reason }) => this.violations.push(`unsubscribed: ${code} ${reason}`))
      .subscribe();
    this.#client.on('disconnected', ({ code, reason }) =>
      this.violations.push(`disconnected: ${code} ${reason}`),
    );
  }

  /** Resolves when the client is subscribed to the channel. */
  static async connect(port: number, channel: string, token: string): Promise<VerifyingClient> {
    const verifying = new VerifyingClient(await TcpProxy.open(port), channel, token);
    verifying.#client.connect();
    await verifying.#client.ready();
    await verifying.#client.getSubscription(channel)?.ready();
    return verifying;
  }

  /** How often the server reported that the client missed something. */
  get failedRecoveries(): number {
    return this.#failedRecoveries;
  }

  /** Resolves when the client has reached the position, by publications or by a subscription that starts there. */
  async reaches({ epoch, offset }: StreamPosition): Promise<void> {
    const limit = Promise.withResolvers<never>();
    const stuck = (): string =>
      `${this.channel} is at ${this.#epoch} ${this.#offset}, not ${epoch} ${offset}`;
    const timer = setTimeout(() => limit.reject(new Error(stuck())), WAIT_MS);
    const isReached = (position: StreamPosition): boolean =>
      position.epoch === epoch && position.offset >= offset;
    try {
      await Promise.race([this.#positions.until((positions) => positions.some(isReached)), limit.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.removeAllListeners('disconnected');
    this.#client.getSubscription(this.channel)?.removeAllListeners();
    this.#client.disconnect();
    await this.proxy[Symbol.asyncDispose]();
  }

  #onSubscribed({ wasRecovering, recovered, streamPosition }: SubscribedContext): void {
    const { epoch, offset } = streamPosition ?? { epoch: '', offset: 0 };
    if (wasRecovering && recovered) {
      if (epoch !== this.#epoch) this.violations.push(`recovered from epoch ${this.#epoch} to ${epoch}`);
      return;
    }
    if (wasRecovering) this.#failedRecoveries++;
    this.#epoch = epoch;
    this.#offset = offset;
    this.#positions.add({ epoch, offset });
  }

  #onPublication({ offset = 0, data }: PublicationContext): void {
    if (offset !== this.#offset + 1)
      this.violations.push(
        `offset ${offset} of ${this.channel} after ${this.#offset} in epoch ${this.#epoch}`,
      );
    this.#offset = offset;
    const position = { epoch: this.#epoch, offset };
    this.#positions.add(position);
    this.received.push({ ...position, data });
  }
}
