import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EventLog } from '../../../../../test/support/event-log.js';
import { BrokerStatus } from '../../../../metrics/index.js';
import { ConnectionStatus } from '../connection-status.js';
import { pulsarDriverOptions } from '../pulsar.options.js';
import { PulsarSubscription } from '../subscription.js';
import type { PulsarMessage } from '../transport.js';
import type { ClientConsumer, ClientMessage, NativeClient } from './native-client.js';
import { NativeConsumer } from './native-consumer.js';

const topic = { name: 't', tenant: 'public', namespace: 'default', localName: 't' };

/** A message whose id has this entry number. */
const message = (entry: number): ClientMessage => ({
  getMessageId: () => ({ serialize: () => Buffer.from([0x08, 1, 0x10, entry]) }),
  getData: () => Buffer.from(String(entry)),
  getProperties: () => ({}),
  getPartitionKey: () => '',
  getPublishTimestamp: () => 0,
  getRedeliveryCount: () => 0,
});

/** As the native client does, it passes on each message in an event-loop turn of its own, and never resolves after `close`. */
class ClientConsumerDouble implements ClientConsumer {
  isOpen = true;
  readonly #messages: ClientMessage[] = [];
  #waiting: ((received: ClientMessage) => void) | undefined;

  deliver(...messages: ClientMessage[]): void {
    this.#messages.push(...messages);
    this.#next();
  }

  receive(): Promise<ClientMessage> {
    return new Promise((resolve) => {
      this.#waiting = resolve;
      this.#next();
    });
  }

  async acknowledge(): Promise<void> {}
  negativeAcknowledge(): void {}
  isConnected = () => this.isOpen;

  async close(): Promise<void> {
    this.isOpen = false;
  }

  #next(): void {
    if (this.#waiting === undefined || this.#messages.length === 0) return;
    const resolve = this.#waiting;
    this.#waiting = undefined;
    setImmediate(() => resolve(this.#messages.shift()!));
  }
}

describe('NativeConsumer', () => {
  const options = pulsarDriverOptions.parse({ serviceUrl: 'pulsar://localhost' });
  let created: EventLog<ClientConsumerDouble>;
  let received: EventLog<string>;
  let subscribe: NativeClient['subscribe'];
  let consumer: NativeConsumer;
  beforeEach(() => {
    created = new EventLog();
    received = new EventLog();
    subscribe = async () => {
      created.add(new ClientConsumerDouble());
      return created.entries.at(-1)!;
    };
  });
  afterEach(() => consumer.close());

  const open = (
    onMessage = ({ payload }: PulsarMessage): void => received.add(payload.toString()),
    status = new BrokerStatus('pulsar'),
  ): NativeConsumer => {
    const client: NativeClient = {
      createProducer: () => Promise.reject(new Error('not used by this test')),
      subscribe: (config) => subscribe(config),
      close: async () => {},
    };
    const subscription = {
      topic,
      subscription: 's',
      type: 'Shared',
      from: 'earliest',
      maxUnacked: 10,
    } as const;
    consumer = new NativeConsumer(client, subscription, options, new ConnectionStatus(status), onMessage);
    return consumer;
  };

  it('receives over another consumer after it was reconnected, and no message twice', async () => {
    open();
    const [first] = await created.atLeast(1);
    first!.deliver(message(1));
    await received.atLeast(1);
    expect(consumer.reconnect()).toBe(true);
    const [, second] = await created.atLeast(2);
    // The broker delivers what is unacknowledged again.
    second!.deliver(message(1), message(2));
    await received.atLeast(2);
    expect(received.entries).toEqual(['1', '2']);
    expect(first!.isOpen).toBe(false);
  });

  it('is not reconnected while it is not connected', async () => {
    subscribe = () => new Promise(() => {});
    expect(open().reconnect()).toBe(false);
  });

  it('closes in bounded time if the client does not respond', async () => {
    subscribe = () => new Promise(() => {});
    await expect(open().close()).resolves.toBeUndefined();
  });

  it('names both possible reasons of a time-out', async () => {
    const reasons = new EventLog<string>();
    subscribe = () => Promise.reject(new Error('Failed to create consumer: TimeOut'));
    open(undefined, new BrokerStatus('pulsar', ({ reason }) => reasons.add(reason ?? '')));
    expect((await reasons.atLeast(1))[0]).toMatch(/it does not answer, or it refuses the token.*TimeOut/);
  });

  it('fills batches for a handler that returns at once', async () => {
    const batches = new EventLog<number>();
    const settings = { group: 's', maxBatchSize: 10, concurrency: 1, coalesceMs: 2 };
    const subscription = new PulsarSubscription(
      settings,
      options,
      async (records) => batches.add(records.length),
      () => {},
    );
    subscription.add('t', (onMessage) => open(onMessage));
    const [client] = await created.atLeast(1);
    client!.deliver(...Array.from({ length: 20 }, (_, entry) => message(entry)));
    await batches.until((sizes) => sizes.reduce((sum, size) => sum + size, 0) === 20);
    expect(Math.max(...batches.entries)).toBeGreaterThan(1);
    await subscription.close();
  });
});
