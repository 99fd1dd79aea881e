import { describe } from '@jest/globals';
import { loadNativeClient } from '../../src/bus/adapters/pulsar.native-client.js';
import type { RunningPulsar } from '../brokers.js';

export interface PulsarTransportUnderTest {
  readonly name: string;
  urlOf(pulsar: RunningPulsar): string;
  /** Describes, or skips where this machine cannot have the transport. */
  describeTransport(title: string, suite: () => void): void;
}

const obstacle = await loadNativeClient().then(
  () => undefined,
  (error: Error) => error.message,
);

/** Every suite on Pulsar runs over both of its protocols, where the native client can be loaded. */
export const pulsarTransports: readonly PulsarTransportUnderTest[] = [
  {
    name: 'WebSocket',
    urlOf: ({ webUrl }) => webUrl,
    describeTransport: (_title, suite) => suite(),
  },
  {
    name: 'the native client',
    urlOf: ({ url }) => url,
    describeTransport: (title, suite) => {
      if (obstacle === undefined) return suite();
      if (process.env['CARILLON_REQUIRE_PULSAR_CLIENT'] === '1') throw new Error(`${title}: ${obstacle}`);
      process.stderr.write(`SKIPPED ${title}: ${obstacle}\n`);
      describe.skip(title, suite);
    },
  },
];
