/* oxlint-disable jest/no-disabled-tests -- this file skips or fails whole suites */
import { describe } from '@jest/globals';
import { loadNativeClient } from '../../../src/bus/adapters/pulsar/native/native-client.js';
import { type BrokerAddress, type BrokerKind, describeWithOwn } from '../../support/brokers.js';

const loadError = await loadNativeClient().then(
  () => undefined,
  (error: Error) => error.message,
);

/**
 * Runs a suite over both of Pulsar's transports. `urlOf` returns the service URL. If the native client cannot be loaded,
 * its run is skipped with a message. With CARILLON_REQUIRE_PULSAR_CLIENT=1 it fails.
 */
export function describeOverEachTransport(
  kinds: BrokerKind | readonly BrokerKind[],
  title: string,
  suite: (urlOf: (pulsar: BrokerAddress) => string) => void,
): void {
  describeWithOwn(kinds, `${title}, over WebSocket`, () => suite(({ webUrl }) => webUrl!));

  const nativeTitle = `${title}, over the native client`;
  if (loadError === undefined) {
    describeWithOwn(kinds, nativeTitle, () => suite(({ url }) => url));
  } else if (process.env['CARILLON_REQUIRE_PULSAR_CLIENT'] === '1') {
    throw new Error(`${nativeTitle}: ${loadError}`);
  } else {
    process.stderr.write(`SKIPPED ${nativeTitle}: ${loadError}\n`);
    describe.skip(nativeTitle, () => suite(({ url }) => url));
  }
}
