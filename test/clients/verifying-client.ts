import { Centrifuge, type PublicationContext, type SubscribedContext } from 'centrifuge';
import { WebSocket } from 'ws';
import { Journal } from '../support/event-log.ts';
import { WAIT_MS } from '../support/wait-ms.ts';
import { Line } from './line.ts';

export interface Place {
  readonly epoch: string;
  readonly offset: number;
}

export interface Seen extends Place {
  readonly data: unknown;
}

/**
 * A client of centrifuge-js that believes what it is told: after a subscription that was recovered nothing may be missing, and
 * after one that was not it starts from where it is said to be. All else is a fault.
 */
export class Witness implements AsyncDisposable {
  readonly faults: string[] = [];
  readonly seen: Seen[] = [];
  readonly #places = new Journal<Place>();
  readonly #client: Centrifuge;
  #epoch = '';
  #offset = 0;
  #gaps = 0;

  private constructor(
    readonly line: Line,
    readonly channel: string,
    token: string,
  ) {
    this.#client = new Centrifuge(`ws://127.0.0.1:${line.port}/connection/websocket`, {
      token,
      websocket: WebSocket,
      minReconnectDelay: 20,
      maxReconnectDelay: 200,
    });
    this.#client
      .newSubscription(channel, { minResubscribeDelay: 20, maxResubscribeDelay: 200 })
      .on('subscribed', (context) => this.#onSubscribed(context))
      .on('publication', (context) => this.#onPublication(context))
      .on('unsubscribed', ({ code, reason }) => this.faults.push(`unsubscribed: ${code} ${reason}`))
      .subscribe();
    this.#client.on('disconnected', ({ code, reason }) =>
      this.faults.push(`disconnected: ${code} ${reason}`),
    );
  }

  static async call(port: number, channel: string, token: string): Promise<Witness> {
    const witness = new Witness(await Line.open(port), channel, token);
    witness.#client.connect();
    await witness.#client.ready();
    await witness.#client.getSubscription(channel)?.ready();
    return witness;
  }

  /** How often it was told that it missed something. */
  get gaps(): number {
    return this.#gaps;
  }

  /** Resolves when it has been given all up to here, or has been told that it has not. */
  async reaches({ epoch, offset }: Place): Promise<void> {
    const limit = Promise.withResolvers<never>();
    const stuck = (): string =>
      `${this.channel} is at ${this.#epoch} ${this.#offset}, not ${epoch} ${offset}`;
    const timer = setTimeout(() => limit.reject(new Error(stuck())), WAIT_MS);
    const isThere = (place: Place): boolean => place.epoch === epoch && place.offset >= offset;
    try {
      await Promise.race([this.#places.until((places) => places.some(isThere)), limit.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.removeAllListeners('disconnected');
    this.#client.getSubscription(this.channel)?.removeAllListeners();
    this.#client.disconnect();
    await this.line[Symbol.asyncDispose]();
  }

  #onSubscribed({ wasRecovering, recovered, streamPosition }: SubscribedContext): void {
    const { epoch, offset } = streamPosition ?? { epoch: '', offset: 0 };
    if (wasRecovering && recovered) {
      if (epoch !== this.#epoch) this.faults.push(`recovered from epoch ${this.#epoch} to ${epoch}`);
      return;
    }
    if (wasRecovering) this.#gaps++;
    this.#epoch = epoch;
    this.#offset = offset;
    this.#places.add({ epoch, offset });
  }

  #onPublication({ offset = 0, data }: PublicationContext): void {
    if (offset !== this.#offset + 1)
      this.faults.push(`offset ${offset} of ${this.channel} after ${this.#offset} in epoch ${this.#epoch}`);
    this.#offset = offset;
    const place = { epoch: this.#epoch, offset };
    this.#places.add(place);
    this.seen.push({ ...place, data });
  }
}
