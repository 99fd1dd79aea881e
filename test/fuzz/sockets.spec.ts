import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { WebSocket } from 'ws';
import { RawClient, Server } from '../support/server.ts';
import { WAIT_MS } from '../support/wait-ms.ts';
import { jsonFrames, protobufFrames, rawFrames, type GeneratedFrame } from './arbitrary-frames.ts';
import { fuzzSeconds, fuzzSeed, fuzzTimeoutMs } from './budget.ts';

const API_KEY = 'a-key-for-fuzzing-only';
const document = readFileSync(resolve(import.meta.dirname, '../../docs/protocol.md'), 'utf8');
const NORMAL_CLOSE = 1000;
/** The codes that the documentation names, and the one with which the test closes. */
const documented = new Set([...document.matchAll(/\b[13]\d{3}\b/g)].map(([code]) => Number(code))).add(
  NORMAL_CLOSE,
);

const channels = 'CARILLON_DELIVERY_CHANNELS_WITHOUT_NAMESPACE_';
const settings = {
  CARILLON_API_KEY: API_KEY,
  CARILLON_GATEWAY_CLIENT_ALLOW_ANONYMOUS_CONNECT_WITHOUT_TOKEN: 'true',
  [`${channels}PRESENCE`]: 'true',
  [`${channels}JOIN_LEAVE`]: 'true',
  [`${channels}HISTORY_SIZE`]: '10',
  [`${channels}HISTORY_TTL_MS`]: '60000',
  [`${channels}ALLOW_RECOVERY`]: 'true',
  ...Object.fromEntries(
    ['SUBSCRIBE', 'PUBLISH', 'PRESENCE', 'HISTORY'].map((action) => [
      `${channels}ALLOW_${action}_FOR_ANONYMOUS`,
      'true',
    ]),
  ),
};

describe.each([
  ['the Centrifugo protocol in JSON', '/connection/websocket', jsonFrames],
  ['the Centrifugo protocol in Protobuf', '/connection/websocket?format=protobuf', protobufFrames],
  ['a raw socket', '/message', rawFrames],
])('%s under generated frames', (_, path, frames) => {
  let server: Server;
  let bystander: RawClient;
  beforeAll(async () => {
    server = await Server.start({ env: settings });
    bystander = await server.connect('bystander');
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it(
    'keeps serving, closes only with documented codes, and leaves other clients alone',
    async () => {
      const property = fc.asyncProperty(frames, async (sequence) => {
        const code = await play(`${server.url.replace('http', 'ws')}${path}`, sequence);
        expect(documented).toContain(code);
      });
      await fc.assert(property, {
        numRuns: 1_000_000,
        interruptAfterTimeLimit: fuzzSeconds * 1000,
        markInterruptAsFailure: false,
        seed: fuzzSeed,
      });
      expect(server.output).not.toMatch(/"level":"(error|fatal)"/);
      await server.trigger('"still here"', { userAgent: 'bystander' });
      await bystander.until(() => bystander.received.some(({ text }) => text === '"still here"'));
      await becomes(server, 'carillon_gateway_connections', 1);
    },
    fuzzTimeoutMs,
  );
});

/** Sends the frames and then closes. Returns the code with which the connection ended. */
async function play(url: string, frames: readonly GeneratedFrame[]): Promise<number> {
  const socket = new WebSocket(url, { headers: { 'user-agent': 'fuzz' } });
  socket.on('error', () => {});
  const closed = once(socket, 'close', { signal: AbortSignal.timeout(WAIT_MS) });
  await once(socket, 'open');
  for (const { data } of frames) socket.send(data);
  // The server handles a client's messages in order: the answer to this ping comes after all of them.
  socket.ping();
  await Promise.race([once(socket, 'pong'), closed]);
  socket.close(NORMAL_CLOSE);
  const [code] = (await closed) as [number];
  return code;
}

/** Resolves when the sum of a metric's samples has this value. */
async function becomes(server: Server, name: string, value: number): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  for (;;) {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    const samples = text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\d+)`, 'gm'));
    const sum = samples.reduce((total, [, sample]) => total + Number(sample), 0);
    if (sum === value) return;
    if (Date.now() > deadline) throw new Error(`${name} is ${sum}, not ${value}`);
  }
}
