import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { Logger } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Bus, BrokerUnavailableError } from '../../../src/bus/index.js';
import { BrokerStatus } from '../../../src/metrics/index.js';
import {
  type Certificate,
  describeWithOwn,
  makeCertificate,
  type RunningBroker,
  startKafka,
  startPulsar,
  type RunningPulsar,
  type RunningRedisCluster,
  type RunningRedisSentinel,
  startRedis,
  startRedisCluster,
  startRedisSentinel,
} from '../../support/brokers.js';
import { open as openKafka } from './kafka-bus.open.js';
import { open as openPulsar } from './pulsar-bus.open.js';
import { open as openRedis } from './redis-bus.open.js';

const PASSWORD = 'pa55 wörd';
const logged: unknown[] = [];

describe('A broker with TLS and authentication', () => {
  let directory: string;
  let certificate: Certificate;
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'carillon-tls-'));
    certificate = await makeCertificate(directory);
    const log = (...values: unknown[]) => void logged.push(...values);
    Logger.overrideLogger({ log, warn: log, error: log, debug: log, verbose: log, fatal: log });
  });
  afterAll(() => {
    Logger.overrideLogger(false);
    rmSync(directory, { recursive: true });
  });

  describeWithOwn('kafka', 'Kafka', () => {
    let kafka: RunningBroker;
    beforeAll(async () => {
      kafka = await startKafka({ security: { certificate, users: { carillon: 'secret' } } });
    });
    afterAll(() => kafka.dispose());
    const settings = (more: object = {}) => ({
      brokers: [kafka.url],
      tls: true,
      tlsCaFile: certificate.authority,
      sasl: { mechanism: 'plain', username: 'carillon', password: 'secret' },
      ...more,
    });

    it.each(['plain', 'scram-sha-256', 'scram-sha-512'])(
      'accepts the right password with %s',
      async (mechanism) => {
        const sasl = { mechanism, username: 'carillon', password: 'secret' };
        expect(await roundTrip(await openKafka(settings({ sasl })))).toBe('x');
      },
    );

    it.each(['plain', 'scram-sha-256'])(
      'refuses a wrong password with %s, reports it, and does not disclose it',
      async (mechanism) => {
        const sasl = { mechanism, username: 'carillon', password: PASSWORD };
        const { reason, outcome, output } = await refusalOf((status) =>
          openKafka(settings({ sasl }), status),
        );
        expect(reason).toMatch(/auth/i);
        expect(outcome).toBeInstanceOf(BrokerUnavailableError);
        for (const secret of [PASSWORD, encodeURIComponent(PASSWORD)]) expect(output).not.toContain(secret);
      },
    );

    it('is not trusted if its certificate authority is unknown', async () => {
      const { reason, outcome } = await refusalOf((status) =>
        openKafka(settings({ tlsCaFile: undefined }), status),
      );
      expect(reason).toMatch(/certificate/);
      expect(outcome).toBeInstanceOf(BrokerUnavailableError);
    });

    it('names a file of certificate authorities that cannot be read', async () => {
      const opening = openKafka(settings({ tlsCaFile: '/nowhere/ca.pem' }));
      await expect(opening).rejects.toMatchObject({
        code: 'tls_authorities_unreadable',
        message: expect.stringContaining('/nowhere/ca.pem'),
      });
    });
  });

  describeWithOwn('pulsar', "Pulsar's WebSocket API", () => {
    let pulsar: RunningPulsar;
    beforeAll(async () => {
      pulsar = await startPulsar({ certificate });
    });
    afterAll(() => pulsar.dispose());
    const settings = (more: object = {}) => ({
      serviceUrl: pulsar.tlsUrl,
      tlsCaFile: certificate.authority,
      ...more,
    });

    it.each(['https', 'wss'])('is connected with an %s URL, and reports the lag', async (scheme) => {
      const serviceUrl = pulsar.tlsUrl!.replace('https', scheme);
      expect(await roundTrip(await openPulsar(settings({ serviceUrl })))).toBe('x');

      const bus = await openPulsar(settings({ serviceUrl }));
      const topic = randomUUID();
      await (await bus.subscribe({ topics: [topic], group: 'g' }, async () => {})).close();
      await bus.publish(topic, [{ value: Buffer.from('x') }]);
      expect(await bus.lag('g', [topic])).toMatchObject([{ topic, partition: 0, records: 1 }]);
      await bus.close();
    });

    it('is not trusted if its certificate authority is unknown', async () => {
      const { reason, outcome } = await refusalOf((status) =>
        openPulsar(settings({ tlsCaFile: undefined }), status, [randomUUID()]),
      );
      expect(reason).toMatch(/certificate/);
      expect(outcome).toBeInstanceOf(BrokerUnavailableError);
    });
  });

  describeWithOwn('redis', 'Redis', () => {
    let redis: RunningBroker;
    beforeAll(async () => {
      redis = await startRedis({ certificate, password: 'secret' });
    });
    afterAll(() => redis.dispose());
    const settings = (more: object = {}) => ({
      driver: { url: redis.url, tlsCaFile: certificate.authority, ...more },
    });

    it('accepts the right password', async () => {
      expect(await roundTrip(await openRedis(settings()))).toBe('x');
    });

    it('refuses a wrong password, reports it, and does not disclose it', async () => {
      const url = redis.url.replace('secret', encodeURIComponent(PASSWORD));
      const { reason, outcome, output } = await refusalOf((status) => openRedis(settings({ url }), status));
      expect(reason).toMatch(/WRONGPASS|NOAUTH/);
      expect(outcome).toBeInstanceOf(BrokerUnavailableError);
      for (const secret of [PASSWORD, encodeURIComponent(PASSWORD)]) expect(output).not.toContain(secret);
    });

    it('is not trusted if its certificate authority is unknown', async () => {
      const { reason, outcome } = await refusalOf((status) =>
        openRedis(settings({ tlsCaFile: undefined }), status),
      );
      expect(reason).toMatch(/certificate/);
      expect(outcome).toBeInstanceOf(BrokerUnavailableError);
    });

    it('names a file of certificate authorities that cannot be read', async () => {
      await expect(openRedis(settings({ tlsCaFile: '/nowhere/ca.pem' }))).rejects.toMatchObject({
        code: 'tls_authorities_unreadable',
      });
    });
  });

  describeWithOwn('redis', 'Redis behind Sentinels', () => {
    let redis: RunningRedisSentinel;
    beforeAll(async () => {
      redis = await startRedisSentinel({ certificate });
    });
    afterAll(() => redis.dispose());
    const settings = (more: object = {}) => ({
      driver: {
        url: 'rediss://sentinels',
        sentinels: redis.sentinels.map(({ host, port }) => `${host}:${port}`),
        sentinelMaster: redis.name,
        tlsCaFile: certificate.authority,
        ...more,
      },
    });

    it('is connected through them, before and after a failover', async () => {
      expect(await roundTrip(await openRedis(settings()))).toBe('x');
      const bus = await openRedis(settings());
      const arrived = Promise.withResolvers<void>();
      const topic = randomUUID();
      await bus.subscribe({ topics: [topic], group: 'g' }, async ([record]) => {
        if (String(record?.value) === 'after') arrived.resolve();
      });
      await redis.brokers[0]!.kill();
      await untilPublished(bus, topic, 'after');
      await arrived.promise;
      await bus.close();
    });

    it.each([
      ['is not trusted if its certificate authority is unknown', () => ({ tlsCaFile: undefined })],
      ['is not connected without TLS', () => ({ url: 'redis://sentinels' })],
    ])('%s', async (_, more) => {
      const { reason, outcome } = await refusalOf((status) => openRedis(settings(more()), status));
      expect(reason).toMatch(/certificate|unreachable|closed|lost/i);
      expect(outcome).toBeInstanceOf(BrokerUnavailableError);
    });
  });

  describeWithOwn('redis', 'Redis Cluster', () => {
    let cluster: RunningRedisCluster;
    beforeAll(async () => {
      cluster = await startRedisCluster({ certificate });
    });
    afterAll(() => cluster.dispose());
    const settings = (more: object = {}) => ({
      driver: {
        url: 'rediss://cluster',
        clusterNodes: cluster.nodes.map(({ host, port }) => `${host}:${port}`),
        tlsCaFile: certificate.authority,
        ...more,
      },
    });

    it('is connected to each of its nodes', async () => {
      const bus = await openRedis(settings());
      const topic = randomUUID();
      const partitions = new Set<number>();
      const all = Promise.withResolvers<void>();
      await bus.subscribe({ topics: [topic], group: 'g', concurrency: 8 }, async ([record]) => {
        if (partitions.add(record!.partition).size === 8) all.resolve();
      });
      await bus.publish(
        topic,
        Array.from({ length: 8 }, () => ({ value: Buffer.from('x') })),
      );
      await all.promise;
      expect(partitions.size).toBe(8);
      await bus.close();
    });

    it('is not trusted if its certificate authority is unknown', async () => {
      const { reason, outcome } = await refusalOf((status) =>
        openRedis(settings({ tlsCaFile: undefined }), status),
      );
      // The client reports no other reason.
      expect(reason).toMatch(/Connection is closed/);
      expect(outcome).toBeInstanceOf(BrokerUnavailableError);
    });
  });
});

/** Publishes a record, and resolves to its body as received. */
async function roundTrip(bus: Bus): Promise<string> {
  const topic = randomUUID();
  const arrived = Promise.withResolvers<string>();
  await bus.subscribe({ topics: [topic], group: 'g' }, async ([record]) =>
    arrived.resolve(String(record?.value)),
  );
  await bus.publish(topic, [{ value: Buffer.from('x') }]);
  const body = await arrived.promise;
  await bus.close();
  return body;
}

async function untilPublished(bus: Bus, topic: string, body: string): Promise<void> {
  for (;;) {
    try {
      await bus.publish(topic, [{ value: Buffer.from(body) }]);
      return;
    } catch {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

/** Opens a bus that the broker refuses. Resolves to the reported reason, the error of a publish, and everything that was logged. */
async function refusalOf(open: (status: BrokerStatus) => Promise<Bus>) {
  logged.length = 0;
  const refused = Promise.withResolvers<string>();
  const status = new BrokerStatus('broker', ({ state, reason }) => {
    if (state === 'down') refused.resolve(reason ?? '');
  });
  const bus = await open(status);
  const reason = await refused.promise;
  const outcome: unknown = await bus
    .publish(randomUUID(), [{ value: Buffer.from('x') }])
    .catch((error: unknown) => error);
  await bus.close();
  return { reason, outcome, output: inspect([outcome, logged, status], { depth: null }) };
}
