import { readFileSync } from 'node:fs';
import type { Scenario, Step } from './golden-replay.js';

const recorded = JSON.parse(readFileSync('test/golden/centrifugo.json', 'utf8')) as Scenario[];

/** What belongs to parts that are not there yet: the other transports, and the calls to a user's backend. */
export const notYet: readonly string[] = [
  'uni_sse',
  'uni_sse_client_subs',
  'uni_sse_no_token',
  'uni_sse_expired_token',
  'uni_http_stream',
  'uni_ping',
  'http_stream_emulation',
  'sse_emulation',
  'proxy_connect',
  'proxy_connect_error',
  'proxy_refresh',
  'proxy_subscribe',
  'proxy_subscribe_failure',
  'proxy_publish',
  'proxy_rpc',
  'proxy_refresh_command',
  'proxy_timeout',
];

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
  // Its other half is about a transport that is not there yet.
  origin: (steps) => steps.filter(({ http }) => !http),
};

const badRequest = {
  status: 200,
  content_type: 'application/json',
  body: '{"error":{"code":107,"message":"bad request"}}',
};

function refused(step: Step): Step {
  if (!step.recv?.includes('"sub_refresh"')) return step;
  return { ...step, recv: '{"id":3,"error":{"code":109,"message":"token expired"}}' };
}

/** Every scenario that belongs to what is there, with what is expected in the place of Centrifugo's faults. */
const scenarios = recorded
  .filter(({ name }) => !notYet.includes(name))
  .map((scenario) => ({ ...scenario, steps: exceptions[scenario.name]?.(scenario.steps) ?? scenario.steps }));

const usesSockets = ({ steps }: Scenario): boolean => steps.some(({ open }) => open !== undefined);

/** @param config the server that they were recorded with: `main`, `timing`, `limits`; `shutdown`, which is the last of a `main` */
export function scenariosOnSockets(config: string): readonly Scenario[] {
  return scenarios.filter((scenario) => usesSockets(scenario) && scenario.config === config);
}

/** All of them with the configuration `main`. */
export function scenariosOverHttp(): readonly Scenario[] {
  return scenarios.filter((scenario) => !usesSockets(scenario));
}

export function scenarioNames(): readonly string[] {
  return recorded.map(({ name }) => name);
}

/** The names in the list of exceptions. */
export function exceptionNames(): readonly string[] {
  return Object.keys(exceptions);
}
