import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '../load.js';
import { configSchema } from '../schema.js';
import type { Tree } from '../tree.js';
import { translateCentrifugo } from './translate.js';

function load(configuration: object, env: Readonly<Record<string, string>> = {}) {
  const { file, notices, errors = [], origins } = translateCentrifugo(configuration as Tree, env);
  const proxies = configSchema.safeParse(file);
  return {
    proxies: proxies.data?.gateway.client.proxies,
    faults: proxies.error?.issues,
    notices,
    errors,
    origins,
  };
}

const endpoint = 'http://backend/connect';

describe('Proxies of Centrifugo', () => {
  it('are translated with all of their options', () => {
    const { proxies, notices, origins } = load({
      client: {
        proxy: {
          connect: {
            enabled: true,
            endpoint,
            timeout: '3s',
            http_headers: ['Cookie'],
            emulated_headers: ['X-Token'],
            grpc_metadata: [],
            binary_encoding: true,
            include_connection_meta: true,
            http: {
              tls: { enabled: true, server_ca_pem: 'ca.pem', cert_pem: '', insecure_skip_verify: true },
              static_headers: { 'X-Key': 'k' },
              status_to_code_transforms: [
                { status_code: 404, to_error: { code: 404, message: 'gone' }, to_disconnect: { code: 0 } },
                { status_code: 403, to_error: { code: 0 }, to_disconnect: { code: 4504, reason: 'no' } },
                { status_code: 500 },
              ],
            },
            grpc: { tls: { enabled: false }, credentials_key: '', compression: false },
          },
        },
      },
    });
    expect(notices).toEqual([]);
    expect(proxies?.connect).toMatchObject({
      endpoint,
      timeoutMs: 3_000,
      httpHeaders: ['Cookie'],
      emulatedHeaders: ['X-Token'],
      binaryEncoding: true,
      includeConnectionMeta: true,
      staticHeaders: { 'X-Key': 'k' },
      tls: { ca: 'ca.pem', insecureSkipVerify: true },
      statusToCodeTransforms: [
        { statusCode: 404, toError: { code: 404, message: 'gone', temporary: false } },
        { statusCode: 403, toDisconnect: { code: 4504, reason: 'no' } },
      ],
    });
    expect(origins.get('gateway.client.proxies.connect.timeoutMs')).toBe('client.proxy.connect.timeout');
  });

  it('are found where Centrifugo has them, and selected by name', () => {
    const { proxies, notices, errors } = load({
      client: { proxy: { refresh: { enabled: true, endpoint } } },
      channel: {
        proxy: { subscribe: { endpoint }, publish: { endpoint }, sub_refresh: { endpoint, timeout: '0s' } },
        namespaces: [{ name: 'a', subscribe_proxy_enabled: true, subscribe_proxy_name: 'other' }],
      },
      rpc: {
        proxy: { endpoint },
        without_namespace: { proxy_enabled: true, proxy_name: 'default' },
        namespaces: [{ name: 'math', proxy_enabled: true, proxy_name: 'other' }],
        namespace_boundary: '.',
      },
      proxies: [{ name: 'other', endpoint, timeout: '2s' }],
    });
    expect([notices, errors]).toEqual([[], []]);
    expect(proxies).toMatchObject({
      refresh: { endpoint },
      subscribe: { endpoint },
      publish: { endpoint },
      subRefresh: { endpoint, timeoutMs: 1_000 },
      rpc: { endpoint },
      named: [{ name: 'other', endpoint, timeoutMs: 2_000 }],
      rpcWithoutNamespace: { proxyEnabled: true },
      rpcNamespaces: [{ name: 'math', proxyEnabled: true, proxyName: 'other' }],
      rpcNamespaceBoundary: '.',
    });
  });

  it('are left out if they are off, or have no endpoint', () => {
    const off = { enabled: false, endpoint, timeout: '1s' };
    const empty = { endpoint: '', timeout: '1s', http_headers: [], http: { tls: { enabled: false } } };
    const { proxies, notices } = load({
      client: { proxy: { connect: off, refresh: { enabled: true, ...empty } } },
      channel: { proxy: { subscribe: empty, subscribe_stream: empty } },
      rpc: { proxy: empty, without_namespace: { proxy_enabled: false } },
      proxies: [],
    });
    expect(notices).toEqual([]);
    expect(proxies).toMatchObject({ named: [], rpcWithoutNamespace: { proxyEnabled: false } });
    expect(Object.keys(proxies ?? {})).not.toEqual(expect.arrayContaining(['connect', 'refresh', 'rpc']));
  });

  it('can be set by variables', () => {
    const { proxies, notices } = load(
      {},
      {
        CENTRIFUGO_CLIENT_PROXY_CONNECT_ENABLED: 'true',
        CENTRIFUGO_CLIENT_PROXY_CONNECT_ENDPOINT: endpoint,
        CENTRIFUGO_CLIENT_PROXY_CONNECT_HTTP_HEADERS: 'Cookie,Authorization',
        CENTRIFUGO_CLIENT_PROXY_CONNECT_HTTP_STATIC_HEADERS: '{"X-Key":"k"}',
        CENTRIFUGO_RPC_PROXY_ENDPOINT: endpoint,
        CENTRIFUGO_RPC_WITHOUT_NAMESPACE_PROXY_ENABLED: 'true',
        CENTRIFUGO_PROXIES: '[{"name":"other","endpoint":"http://other"}]',
      },
    );
    expect(notices).toEqual([]);
    expect(proxies).toMatchObject({
      connect: { endpoint, httpHeaders: ['Cookie', 'Authorization'], staticHeaders: { 'X-Key': 'k' } },
      named: [{ name: 'other' }],
      rpcWithoutNamespace: { proxyEnabled: true },
    });
  });

  it('report options that are unknown, and values that are not valid under their own names', () => {
    const connect = { enabled: true, endpoint: 'backend', timout: '1s', timeout: 'soon' };
    const { notices } = load({ client: { proxy: { connect } } });
    expect(notices).toEqual([
      'client.proxy.connect.timout is unknown and was ignored: did you mean timeout?',
    ]);
    const file = { client: { proxy: { connect: { ...connect, endpoint } } } };
    const translate = () => translateCentrifugo(file, {});
    expect(() =>
      loadConfig({ schema: configSchema, wellKnown: {}, translate, argv: [], env: {}, cwd: '.' }),
    ).toThrow(/from client\.proxy\.connect\.timeout/);
  });
});
