/* oxlint-disable jest/no-disabled-tests -- the gate that skips or fails whole suites */
import { describe } from '@jest/globals';
import { loadNativeClient } from '../../../src/bus/adapters/pulsar/native/native-client.js';
import { type BrokerAddress, type BrokerKind, describeWithOwn } from '../../support/brokers.js';

const obstacle = await loadNativeClient().then(
  () => undefined,
  (error: Error) => error.message,
);

/**
 * A suite that runs over each of Pulsar's protocols; `urlOf` makes the service URL. Where the native client cannot be
 * loaded its run is skipped and says so; with CARILLON_REQUIRE_PULSAR_CLIENT=1 it fails.
 */
export function describeOverEachTransport(
  kinds: BrokerKind | readonly BrokerKind[],
  title: string,
  suite: (urlOf: (pulsar: BrokerAddress) => string) => void,
): void {
  describeWithOwn(kinds, `${title}, over WebSocket`, () => suite(({ webUrl }) => webUrl!));

  const natively = `${title}, over the native client`;
  if (obstacle === undefined) {
    describeWithOwn(kinds, natively, () => suite(({ url }) => url));
  } else if (process.env['CARILLON_REQUIRE_PULSAR_CLIENT'] === '1') {
    throw new Error(`${natively}: ${obstacle}`);
  } else {
    process.stderr.write(`SKIPPED ${natively}: ${obstacle}\n`);
    describe.skip(natively, () => suite(({ url }) => url));
  }
}
