import { BrokerHost } from './broker-host.ts';

/** Runs once, before all projects. `global-teardown.ts` closes the host after the last one. */
export default async function setup(): Promise<void> {
  const host = new BrokerHost();
  process.env['CARILLON_BROKER_HOST'] = JSON.stringify(await host.open());
  Object.assign(globalThis, { brokerHost: host });
}
