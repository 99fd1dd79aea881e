import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { RunningBroker, StartOptions } from './broker.ts';
import { download } from './cache.ts';
import { type KafkaSecurity, securityFormatting, securityProperties } from './kafka-security.ts';
import { LocalBroker } from './local-broker.ts';
import { acceptsConnections, freePort } from './ports.ts';

export interface KafkaOptions extends StartOptions {
  /** Lines of `server.properties` to add or replace, such as `{ 'auto.create.topics.enable': 'true' }`. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Without it, the broker has neither encryption nor authentication. */
  readonly security?: KafkaSecurity;
}

const clusterId = 'Q2FyaWxsb25UZXN0cy1CQg';
// A test broker is short-lived and mostly idle: small heap, no optimising compiler, one garbage collector thread.
const jvm = [
  '-Xms64m',
  '-Xmx256m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-Djava.awt.headless=true',
];

/** Runs one Kafka broker (KRaft, its own controller) on loopback. It does not create topics automatically. */
export async function startKafka(options: KafkaOptions = {}): Promise<RunningBroker> {
  const jars = await download('kafka');
  const port = options.port ?? (await freePort());
  const controllerPort = await freePort();
  const java = (main: string, ...args: string[]) => [...jvm, '-cp', join(jars, '*'), main, ...args];
  return LocalBroker.start({
    address: { kind: 'kafka', url: `127.0.0.1:${port}` },
    port,
    keepData: options.keepData ?? false,
    command: async (directory) => {
      const file = join(directory, 'server.properties');
      await writeFile(file, properties(directory, port, controllerPort, options));
      if (!existsSync(join(directory, 'data/meta.properties'))) {
        const format = java('kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', file);
        if (options.security !== undefined) format.push(...securityFormatting(options.security));
        await promisify(execFile)('java', format);
      }
      return { file: 'java', args: java('kafka.Kafka', file) };
    },
    isReady: (log) => log.includes('Kafka Server started') && acceptsConnections(port),
  });
}

function properties(
  directory: string,
  port: number,
  controllerPort: number,
  { security, properties: more }: KafkaOptions,
): string {
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `CLIENTS://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `CLIENTS://127.0.0.1:${port}`,
    'inter.broker.listener.name': 'CLIENTS',
    'listener.security.protocol.map': `CLIENTS:${security === undefined ? 'PLAINTEXT' : 'SASL_SSL'},CONTROLLER:PLAINTEXT`,
    'log.dirs': join(directory, 'data'),
    'auto.create.topics.enable': 'false',
    // A single node can hold only one replica.
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '1',
    'group.initial.rebalance.delay.ms': '0',
    'num.network.threads': '2',
    'num.io.threads': '2',
    // The default of 128 MB does not fit into the heap above.
    'log.cleaner.dedupe.buffer.size': '4194304',
    ...(security === undefined ? {} : securityProperties(security)),
    ...more,
  };
  return Object.entries(settings)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}
