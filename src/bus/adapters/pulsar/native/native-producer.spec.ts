import { describe, expect, it } from '@jest/globals';
import { BrokerStatus } from '../../../../metrics/index.js';
import { usedMemory } from '../../../../../test/support/used-memory.js';
import { BrokerUnavailableError } from '../../../bus.errors.js';
import { PulsarLinks } from '../links.js';
import type { NativeClient, NativeProducer } from './native-client.js';
import { NativeSender } from './native-producer.js';
import { pulsarDriverOptions } from '../pulsar.options.js';

const TOPIC = { name: 't', tenant: 'public', namespace: 'default', localName: 't' };
const message = { payload: Buffer.from('x'), properties: {} };

// The native library cannot be had everywhere; what is told of it here is what `NativeProducer` says.
function senderOver(send: NativeProducer['send']) {
  const connection = { isConnected: true };
  const producer: NativeProducer = {
    send,
    isConnected: () => connection.isConnected,
    close: async () => {},
  };
  const client: NativeClient = {
    createProducer: async () => producer,
    subscribe: () => Promise.reject(new Error('nobody subscribes')),
    close: async () => {},
  };
  const options = pulsarDriverOptions.parse({ serviceUrl: 'pulsar://localhost', pingIntervalMs: 100 });
  const links = new PulsarLinks(new BrokerStatus('pulsar'));
  return { connection, sender: new NativeSender(client, TOPIC, options, links) };
}

describe('NativeSender', () => {
  it('remembers nothing of what was sent', async () => {
    const { sender } = senderOver(async () => {});
    const sendMany = async () => {
      for (let count = 0; count < 20_000; count++) await sender.send(message);
      return usedMemory();
    };
    const before = await sendMany();
    // A hundred bytes for each.
    expect((await sendMany()) - before).toBeLessThan(2_000_000);
    await sender.close();
  });

  it('fails what is under way when the connection is lost', async () => {
    const begun = Promise.withResolvers<void>();
    const { connection, sender } = senderOver(() => {
      begun.resolve();
      return new Promise(() => {});
    });
    const sent = sender.send(message);
    await begun.promise;
    connection.isConnected = false;
    await expect(sent).rejects.toBeInstanceOf(BrokerUnavailableError);
    await expect(sent).rejects.toThrow(/connection was lost/);
    await sender.close();
  });
});
