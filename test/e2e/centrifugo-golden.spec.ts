/** The Centrifugo protocol as a Centrifugo 6.9.1 speaks it: recorded exchanges over WebSocket and the server API, replayed. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CentrifugoApp } from '../centrifugo-app.js';
import { Replay, type Scenario, type Step } from '../golden-replay.js';

const recorded = JSON.parse(readFileSync('test/golden/centrifugo.json', 'utf8')) as Scenario[];

/** Where Centrifugo errs, the right thing is expected instead. `docs/protocol.md` tells why of each. */
const exceptions: Readonly<Record<string, (steps: readonly Step[]) => Step[]>> = {
  // An expired token must not make a subscription eternal: it is refused, and the old expiry stands.
  sub_refresh_expired_token: (steps) => steps.map(refused),
  sub_refresh_expired_then_wait: (steps) => [
    ...steps.slice(0, steps.findIndex(({ recv }) => recv?.includes('sub_refresh')) + 1).map(refused),
    { conn: 'A', recv: '{}' },
    { conn: 'A', send: '{}' },
    {
      conn: 'A',
      recv: '{"push":{"channel":"tok:imm","unsubscribe":{"code":2501,"reason":"subscription expired"}}}',
    },
  ],
  // A token that never expires lifts the expiry of the one before: nothing happens at the old time.
  refresh_without_exp: (steps) => [
    ...steps.filter(({ closed_by_server }) => !closed_by_server),
    { conn: 'A', recv: '{}' },
  ],
  // Unsubscribing from no channel in particular is an error of the API, and no client hears of it.
  api_unsubscribe: (steps) =>
    steps
      .map((step) => (step.http?.body?.includes('"channel":""') ? { ...step, response: badRequest } : step))
      .filter(({ recv }) => recv !== '{"push":{"unsubscribe":{"code":2000,"reason":"server unsubscribe"}}}'),
  // Its other half is about another transport.
  origin: (steps) => steps.filter(({ http }) => !http),
};

const badRequest = { status: 200, body: '{"error":{"code":107,"message":"bad request"}}' };

function refused(step: Step): Step {
  if (!step.recv?.includes('"sub_refresh"')) return step;
  return { ...step, recv: '{"id":3,"error":{"code":109,"message":"token expired"}}' };
}

/** Recorded with pauses that no step describes; `slow-consumer.spec.ts` has the like. */
const elsewhere = ['slow_consumer'];

function isSpoken({ name, steps }: Scenario): boolean {
  return (
    !elsewhere.includes(name) &&
    steps.some(({ open }) => open !== undefined) &&
    !steps.some((step) => 'callback' in step)
  );
}

describe.each(['main', 'timing', 'limits'])('with config-%s.json', (config) => {
  let app: CentrifugoApp;

  beforeAll(async () => {
    app = await CentrifugoApp.start(`config-${config}.json`);
  });

  afterAll(() => app[Symbol.asyncDispose]());

  const scenarios = recorded.filter((scenario) => scenario.config === config && isSpoken(scenario));

  it.each(scenarios)('$name: $about', async ({ name, steps }) => {
    const { got, wanted } = await new Replay(app).run(exceptions[name]?.(steps) ?? steps);
    expect(got).toEqual(wanted);
  });
});
