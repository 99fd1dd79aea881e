import { readFileSync } from 'node:fs';
import type { Scenario, Step } from './golden-replay.js';

const recorded = JSON.parse(readFileSync('test/golden/centrifugo.json', 'utf8')) as Scenario[];

/** Scenarios of features that Carillon does not have yet: other transports. */
export const unsupportedScenarios: readonly string[] = [
  'uni_sse',
  'uni_sse_client_subs',
  'uni_sse_no_token',
  'uni_sse_expired_token',
  'uni_http_stream',
  'uni_ping',
  'http_stream_emulation',
  'sse_emulation',
];

/** Corrections of scenarios in which Centrifugo has a bug. `docs/protocol.md` lists the differences. */
const corrections: Readonly<Record<string, (steps: readonly Step[]) => Step[]>> = {
  // An expired token must not remove the expiry of a subscription: it is refused, and the old expiry stays.
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
  // A token that never expires removes the expiry of the previous token: nothing happens at the old time.
  refresh_without_exp: (steps) => [
    ...steps.filter(({ closed_by_server }) => !closed_by_server),
    { conn: 'A', recv: '{}' },
  ],
  // Unsubscribing without a channel is an error of the API, and no client is notified.
  api_unsubscribe: (steps) =>
    steps
      .map((step) => (step.http?.body?.includes('"channel":""') ? { ...step, response: badRequest } : step))
      .filter(({ recv }) => recv !== '{"push":{"unsubscribe":{"code":2000,"reason":"server unsubscribe"}}}'),
  // The backend answered after the time-out, when nobody waited any more.
  proxy_timeout: (steps) =>
    steps.map((step) => (step.callback?.path === '/rpc' ? { callback: step.callback } : step)),
  // A publication that is not JSON is dropped for clients that use JSON, and does not close them.
  api_binary_to_json_client: (steps) => [
    ...steps.filter(({ closed_by_server }) => !closed_by_server),
    { conn: 'A', recv: '{}' },
  ],
  // The rest of the scenario uses a transport that Carillon does not have yet.
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

/** Every supported scenario, with the corrections. */
const scenarios = recorded
  .filter(({ name }) => !unsupportedScenarios.includes(name))
  .map((scenario) => ({
    ...scenario,
    steps: corrections[scenario.name]?.(scenario.steps) ?? scenario.steps,
  }));

const usesSockets = ({ steps }: Scenario): boolean => steps.some(({ open }) => open !== undefined);

/**
 * @param config the configuration with which they were recorded: `main`, `timing`, `limits` or `proxy`; `shutdown` is recorded with
 *   `main` and ends the server
 */
export function scenariosOnSockets(config: string): readonly Scenario[] {
  return scenarios.filter((scenario) => usesSockets(scenario) && scenario.config === config);
}

/** Returns the scenarios without a WebSocket. All of them use the configuration `main`. */
export function scenariosOverHttp(): readonly Scenario[] {
  return scenarios.filter((scenario) => !usesSockets(scenario));
}

export function scenarioNames(): readonly string[] {
  return recorded.map(({ name }) => name);
}

/** Returns the names of the corrected scenarios. */
export function correctedScenarioNames(): readonly string[] {
  return Object.keys(corrections);
}
