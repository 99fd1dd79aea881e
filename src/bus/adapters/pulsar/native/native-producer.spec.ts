import { describe, expect, it } from '@jest/globals';
import { BrokerStatus } from '../../../../metrics/index.js';
import { usedMemory } from '../../../../../test/support/used-memory.js';
import { BrokerUnavailableError } from '../../../bus.errors.js';
import { ConnectionStatus } from '../connection-status.js';
import type { ClientProducer, NativeClient } from './native-client.js';
import { NativeProducer } from './native-producer.js';
import { pulsarDriverOptions } from '../pulsar.options.js';

const TOPIC = { name: 't', tenant: 'public', namespace: 'default', localName: 't' };
const message = { payload: Buffer.from('x'), properties: {} };

// The native library is not available everywhere. This object behaves as `ClientProducer` describes it.
function producerOver(send: ClientProducer['send']) {
  const connection = { isConnected: true };
  const clientProducer: ClientProducer = {
    send,
    isConnected: () => connection.isConnected,
    close: async () => {},
  };
  const client: NativeClient = {
    createProducer: async () => clientProducer,
    subscribe: () => Promise.reject(new Error('not used by this test')),
    close: async () => {},
  };
  const options = pulsarDriverOptions.parse({ serviceUrl: 'pulsar://localhost', pingIntervalMs: 100 });
  const status = new ConnectionStatus(new BrokerStatus('pulsar'));
  return { connection, producer: new NativeProducer(client, TOPIC, options, status) };
}

describe('NativeProducer', () => {
  it('keeps no memory of sent messages', async () => {
    const { producer } = producerOver(async () => {});
    const sendMany = async () => {
      for (let count = 0; count < 20_000; count++) await producer.send(message);
      return usedMemory();
    };
    const before = await sendMany();
    // A hundred bytes per message.
    expect((await sendMany()) - before).toBeLessThan(2_000_000);
    await producer.close();
  });

  it('rejects sends in flight when the connection is lost', async () => {
    const begun = Promise.withResolvers<void>();
    const { connection, producer } = producerOver(() => {
      begun.resolve();
      return new Promise(() => {});
    });
    const sent = producer.send(message);
    await begun.promise;
    connection.isConnected = false;
    await expect(sent).rejects.toBeInstanceOf(BrokerUnavailableError);
    await expect(sent).rejects.toThrow(/connection was lost/);
    await producer.close();
  });
});
