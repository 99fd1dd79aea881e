import { describe, expect, it } from '@jest/globals';
import { configSchema } from '../../../config/schema.js';

const faultsOf = (
  proxies: object,
  channels: object = {},
  roles: string[] = ['gateway', 'trigger', 'consumers'],
) =>
  configSchema
    .safeParse({ gateway: { client: { proxies } }, delivery: { channels }, server: { roles } })
    .error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`);

describe('A proxy that is in use, but not configured', () => {
  it('is a fault of the configuration, at the setting that turns it on', () => {
    const proxies = {
      rpcWithoutNamespace: { proxyEnabled: true },
      rpcNamespaces: [{ name: 'math', proxyEnabled: true, proxyName: 'other' }],
    };
    const channels = {
      withoutNamespace: { subscribeProxyEnabled: true },
      namespaces: [
        { name: 'chat', publishProxyEnabled: true, publishProxyName: 'nobody', subRefreshProxyEnabled: true },
      ],
    };
    expect(faultsOf(proxies, channels)?.toSorted()).toEqual([
      'delivery.channels.namespaces.0.publishProxyEnabled needs a proxy with the name nobody in gateway.client.proxies.named',
      'delivery.channels.namespaces.0.subRefreshProxyEnabled needs gateway.client.proxies.subRefresh.endpoint',
      'delivery.channels.withoutNamespace.subscribeProxyEnabled needs gateway.client.proxies.subscribe.endpoint',
      'gateway.client.proxies.rpcNamespaces.0.proxyEnabled needs a proxy with the name other in gateway.client.proxies.named',
      'gateway.client.proxies.rpcWithoutNamespace.proxyEnabled needs gateway.client.proxies.rpc.endpoint',
    ]);
  });

  it('is none if it is configured, or off', () => {
    const endpoint = 'http://backend';
    const proxies = { subscribe: { endpoint }, named: [{ name: 'other', endpoint }] };
    const channels = {
      withoutNamespace: { subscribeProxyEnabled: true, publishProxyEnabled: true, publishProxyName: 'other' },
      namespaces: [{ name: 'chat', subscribeProxyName: 'nobody' }],
    };
    expect(faultsOf(proxies, channels)).toBeUndefined();
  });

  it('is a fault for gRPC endpoints, which are not supported', () => {
    expect(faultsOf({ connect: { endpoint: 'grpc://backend:9000' } })).toEqual([
      expect.stringContaining(
        'must be a URL that begins with http:// or https:// (gRPC is not supported yet)',
      ),
    ]);
  });
});
