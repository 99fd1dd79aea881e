/**
 * Measures what a call to a backend costs in this process, compared with a bare call of undici: the call itself, and the whole
 * question of a proxy, with its JSON. The backend is a process of its own. The rounds alternate, and the ratio is the median of the
 * pairs.
 *
 *   npm run build && npx node bench/webhooks.bench.ts [calls per round] [rounds]
 */
import { fork } from 'node:child_process';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { Pool } from 'undici';

/** Resolved at run time, because type checks run before the build. */
const built = (module: string): Promise<unknown> => import(`../dist/${module}.js`);

const CONCURRENCY = 32;
const TARGET_RATIO = 1.3;
const ANSWER = '{"result":{"info":{"name":"Ann"},"data":{"d":1}}}';

if (process.argv[2] === 'backend') serve();
else await compare(Number(process.argv[2] ?? 5_000), Number(process.argv[3] ?? 9));

function serve(): void {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.end(ANSWER));
  });
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as { port: number }).port));
}

async function compare(calls: number, rounds: number): Promise<void> {
  const backend = fork(import.meta.filename, ['backend']);
  const [port] = (await once(backend, 'message')) as [number];
  const url = `http://127.0.0.1:${port}`;
  const { bare, target, proxy, close } = await callers(url);
  for (const each of [bare, target, proxy]) await round(each, calls);
  for (const [name, ours] of [
    ['call', target],
    ['proxy', proxy],
  ] as const) {
    const pairs: { bareUs: number; oursUs: number }[] = [];
    for (let n = 0; n < rounds; n++)
      pairs.push({ bareUs: await round(bare, calls), oursUs: await round(ours, calls) });
    const ratio = median(pairs.map(({ bareUs, oursUs }) => oursUs / bareUs));
    const us = (of: 'bareUs' | 'oursUs') => median(pairs.map((pair) => pair[of])).toFixed(1);
    const verdict = ratio < TARGET_RATIO ? 'meets' : 'misses';
    console.log(
      `${name.padEnd(6)} ${us('oursUs')} µs CPU per call, undici ${us('bareUs')} µs: ratio ${ratio.toFixed(2)}, ${verdict} the target of less than ${TARGET_RATIO}`,
    );
  }
  await close();
  backend.kill();
}

/** Makes calls, so many at a time. Returns the CPU time of this process per call, in µs. */
async function round(call: () => Promise<unknown>, calls: number): Promise<number> {
  let left = calls;
  const before = process.cpuUsage();
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async () => {
      while (left-- > 0) await call();
    }),
  );
  const { user, system } = process.cpuUsage(before);
  return (user + system) / calls;
}

async function callers(url: string) {
  const { AddressGuard } = (await built(
    'webhooks/address-guard',
  )) as typeof import('../src/webhooks/address-guard.ts');
  const { OutgoingConnections } = (await built(
    'webhooks/connections',
  )) as typeof import('../src/webhooks/connections.ts');
  const { WebhookTarget } = (await built('webhooks/target')) as typeof import('../src/webhooks/target.ts');
  const { WebhooksMetrics, webhooksInstruments } = (await built(
    'webhooks/webhooks.metrics',
  )) as typeof import('../src/webhooks/webhooks.metrics.ts');
  const { webhooksOptions } = (await built(
    'webhooks/webhooks.options',
  )) as typeof import('../src/webhooks/webhooks.options.ts');
  const { proxiesOptions } = (await built(
    'gateway/auth/proxies/proxies.options',
  )) as typeof import('../src/gateway/auth/proxies/proxies.options.ts');
  const { HttpBackend } = (await built(
    'gateway/auth/proxies/http.backend',
  )) as typeof import('../src/gateway/auth/proxies/http.backend.ts');
  const { Proxy } = (await built(
    'gateway/auth/proxies/proxy',
  )) as typeof import('../src/gateway/auth/proxies/proxy.ts');

  const options = webhooksOptions.parse({});
  const own = proxiesOptions.parse({
    subscribe: { endpoint: `${url}/subscribe`, timeoutMs: 60_000 },
  }).subscribe!;
  const instruments = webhooksInstruments.map((each) =>
    (each as { useFactory: () => unknown }).useFactory(),
  ) as ConstructorParameters<typeof WebhooksMetrics>;
  const target = new WebhookTarget(
    { name: 'bench', url: own.endpoint, trust: 'configured', options: own },
    {
      options,
      metrics: new WebhooksMetrics(...instruments).of('bench'),
      connections: new OutgoingConnections(
        new AddressGuard(options.addresses),
        options.maxConnections,
        () => {},
      ),
    },
  );
  const proxy = new Proxy('subscribe', own, new HttpBackend(target, own));
  const client = {
    connectionId: '0f4a1a6e-0000-4000-8000-000000000000',
    protocol: 'centrifugo',
    encoding: 'json',
    transport: 'websocket',
    address: '127.0.0.1',
    userAgent: '',
    headers: {},
    query: '',
    params: {},
  };
  const identity = { client, user: 'ann', meta: undefined };
  const request = () => ({
    ...proxy.identity(identity),
    channel: 'chat:room',
    token: '',
    ...proxy.data(undefined),
  });
  const body = Buffer.from(JSON.stringify({ ...client, user: 'ann', channel: 'chat:room' }));
  const headers = { 'content-type': 'application/json' };
  const pool = new Pool(url, { connections: options.maxConnectionsPerTarget });
  return {
    bare: async () => {
      const response = await pool.request({ method: 'POST', path: '/subscribe', body, headers });
      return response.body.arrayBuffer();
    },
    target: () => target.post(body, headers),
    proxy: () => proxy.ask('subscribe', request(), client),
    close: () => Promise.all([pool.close(), target.close()]),
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
