import { randomUUID } from 'node:crypto';
import { expect, it } from '@jest/globals';
import kafkajs from 'kafkajs';
import { identityChannel } from '../../../src/delivery/index.js';
import { describeWith, sharedBroker } from '../../support/brokers.js';
import { sendWithoutValue } from '../../support/null-header.js';
import { Server } from '../../support/server.js';

const {
  CompressionTypes: { GZIP },
  Kafka,
  logLevel,
} = kafkajs;

const KEY = 'a-key-of-more-than-16-characters';

describeWith('kafka', 'A server whose Kafka topic has records of other programs', () => {
  it('delivers those that are compressed, makes dead letters of those without a body, and is ready', async () => {
    const { url } = await sharedBroker('kafka');
    const topic = randomUUID();
    const kafka = new Kafka({ brokers: url.split(','), logLevel: logLevel.NOTHING });
    const admin = kafka.admin();
    await admin.connect();
    const configEntries = [{ name: 'compression.type', value: 'lz4' }];
    await admin.createTopics({ topics: [{ topic, numPartitions: 1, configEntries }], waitForLeaders: true });
    await admin.disconnect();
    await using server = await Server.start({
      env: {
        KAFKA_BROKER: url,
        KAFKA_TOPIC: topic,
        CARILLON_API_KEY: KEY,
        CARILLON_BUS_INSTANT_GROUP: randomUUID(),
        CARILLON_BUS_INSTANT_FOREIGN_RECORDS_FROM: 'key',
      },
    });
    const client = await server.connect('probe/1');
    const key = identityChannel('probe/1', '127.0.0.1');
    const producer = kafka.producer();
    await producer.connect();
    sendWithoutValue('empty');
    await producer.send({
      topic,
      compression: GZIP,
      messages: [
        { key, value: null },
        { key, value: '{"n":1}', headers: { empty: '' } },
        { key, value: '{"n":2}', headers: { 'carillon-version': '9' } },
        { key, value: '{"n":3}' },
      ],
    });
    await producer.disconnect();
    const received = await client.receives(2);
    expect(received.map(({ text }) => text)).toEqual(['{"n":1}', '{"n":3}']);
    const headers = { 'x-api-key': KEY };
    const get = async (path: string) => (await fetch(server.url + path, { headers })).json();
    type List = { deadLetters: { reason: { message: string } }[] };
    let list = (await get('/dead-letters')) as List;
    while (list.deadLetters.length < 2) list = (await get('/dead-letters')) as List;
    expect(list.deadLetters.map(({ reason }) => reason.message).toSorted((a, b) => (a < b ? -1 : 1))).toEqual(
      ['header carillon-version ("9") is not 1', 'it has no body'],
    );
    expect(await get('/health/ready')).toMatchObject({
      ready: true,
      brokers: { 'progress of the instant lane (kafka)': { state: 'up' } },
    });
    expect(await (await fetch(`${server.url}/metrics`, { headers })).text()).toMatch(
      /carillon_lane_messages_total\{lane="instant",adapter="kafka",outcome="undeliverable"\} 2/,
    );
    await client.close();
  });
});
