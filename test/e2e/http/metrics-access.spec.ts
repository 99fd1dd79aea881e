import { describe, expect, it } from '@jest/globals';
import { freePort } from '../../../scripts/brokers/ports.ts';
import { Server } from '../../support/server.js';

const API_KEY = 'an-api-key-for-tests-0123';
const METRICS_KEY = 'a-metrics-key-for-tests-0123';
const keys = { CARILLON_API_KEY: API_KEY, CARILLON_SERVER_HTTP_METRICS_KEYS: METRICS_KEY };

async function status(url: string, key?: string): Promise<number> {
  const response = await fetch(url, key === undefined ? {} : { headers: { Authorization: `Bearer ${key}` } });
  await response.text();
  return response.status;
}

describe('/metrics', () => {
  it('on a loopback address, is open', async () => {
    await using server = await Server.start({ env: { CARILLON_API_KEY: API_KEY } });
    expect(await status(`${server.url}/metrics`)).toBe(200);
  });

  it('on another address, needs a key, and says what to set', async () => {
    await using server = await Server.start({ env: { HOST: '0.0.0.0' } });
    const response = await fetch(`${server.url}/metrics`);
    expect(response.status).toBe(401);
    expect(await response.text()).toMatch(/server\.http\.metricsKeys.*server\.http\.internal\.port/);
    await server.says(/nobody can read \/metrics: .*server\.http\.metricsKeys.*server\.http\.internal\.port/);
    await server.says(/listening on 0\.0\.0\.0:\d+ .*metrics at \/metrics with a key/);
    expect(await status(`${server.url}/health/live`)).toBe(200);
  });

  it('accepts API keys and keys that may read only metrics', async () => {
    await using server = await Server.start({ env: { HOST: '0.0.0.0', ...keys } });
    expect(await status(`${server.url}/metrics`, METRICS_KEY)).toBe(200);
    expect(await status(`${server.url}/metrics`, API_KEY)).toBe(200);
    expect(await status(`${server.url}/metrics`, `${API_KEY}x`)).toBe(401);
    expect(await status(`${server.url}/dead-letters`, METRICS_KEY)).toBe(401);
    const asHeader = await fetch(`${server.url}/metrics`, { headers: { 'X-API-Key': METRICS_KEY } });
    expect(asHeader.status).toBe(200);
    expect(server.output).not.toMatch(/nobody can read|"level":"error"/);
  });

  it.each(['1', '2'])('with %s worker(s), is only on the internal port if there is one', async (workers) => {
    const port = await freePort();
    await using server = await Server.start({
      env: { HOST: '0.0.0.0', WORKERS: workers, CARILLON_SERVER_HTTP_INTERNAL_PORT: String(port) },
    });
    const internal = `http://127.0.0.1:${port}`;
    expect(await status(`${internal}/metrics`)).toBe(200);
    expect(await status(`${internal}/health/ready`)).toBe(200);
    expect(await status(`${server.url}/metrics`)).toBe(404);
    expect(await status(`${server.url}/health/ready`)).toBe(200);
    // Sockets are on the public port only.
    expect(await status(`${internal}/message`)).toBe(426);
    await server.says(new RegExp(`on the internal port .*127\\.0\\.0\\.1:${port}\\) also metrics`));
    expect(await server.stop()).toBe(0);
  });

  it('reports an internal port that is in use', async () => {
    await using other = await Server.start();
    await using server = await Server.spawn({
      env: { CARILLON_SERVER_HTTP_INTERNAL_PORT: String(other.port) },
    });
    await server.says(/cannot_listen: port \d+ on 127\.0\.0\.1 is in use: .*server\.http\.internal\.port/);
    expect(await server.exited()).toBe(1);
  });

  it('follows the internal port of a configuration of Centrifugo', async () => {
    const port = await freePort();
    await using server = await Server.start({
      env: { CENTRIFUGO_HTTP_SERVER_INTERNAL_PORT: String(port), CENTRIFUGO_HTTP_API_KEY: API_KEY },
    });
    expect(await status(`http://127.0.0.1:${port}/metrics`)).toBe(200);
    expect(await status(`${server.url}/metrics`, API_KEY)).toBe(404);
    const response = await fetch(`http://127.0.0.1:${port}/api/info`, {
      method: 'POST',
      headers: { 'X-API-Key': API_KEY },
      body: '{}',
    });
    expect(response.status).toBe(200);
  });
});

describe('requests whose responses are expensive', () => {
  it('are limited per address, with a key at a higher rate', async () => {
    await using server = await Server.start({
      env: {
        ...keys,
        CARILLON_SERVER_HTTP_LIMITS_COSTLY_REQUESTS_PER_SECOND: '0.001',
        CARILLON_SERVER_HTTP_LIMITS_COSTLY_REQUESTS_BURST: '4',
        CARILLON_SERVER_HTTP_LIMITS_COSTLY_REQUESTS_WITH_API_KEY_PER_SECOND: '0.001',
        CARILLON_SERVER_HTTP_LIMITS_COSTLY_REQUESTS_WITH_API_KEY_BURST: '6',
      },
    });
    const open = ['/docs', '/docs/json', '/schedules', '/docs/start.js'];
    for (const path of open) expect(await status(`${server.url}${path}`)).toBe(200);
    for (const path of [...open, '/metrics', '/dead-letters'])
      expect(await status(`${server.url}${path}`)).toBe(429);
    for (const path of ['/metrics', '/schedules', '/dead-letters'])
      expect(await status(`${server.url}${path}`, API_KEY)).toBe(200);
    const api = async (method: string, body: string): Promise<number> => {
      const init = { method: 'POST', headers: { 'X-API-Key': API_KEY }, body };
      return (await fetch(`${server.url}/api/${method}`, init)).status;
    };
    for (const method of ['presence', 'history', 'channels'])
      expect(await api(method, '{"channel":"a"}')).toBe(200);
    for (const method of ['presence', 'history', 'channels'])
      expect(await api(method, '{"channel":"a"}')).toBe(429);
    expect(await status(`${server.url}/schedules`, API_KEY)).toBe(429);
    // Everything else goes on.
    expect(await api('publish', '{"channel":"a","data":1}')).toBe(200);
    expect(await status(`${server.url}/health/ready`)).toBe(200);
  });
});
