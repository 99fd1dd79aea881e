import type { BrokerHost } from './broker-host.ts';

export default async function teardown(): Promise<void> {
  await (globalThis as { brokerHost?: BrokerHost }).brokerHost?.close();
}
