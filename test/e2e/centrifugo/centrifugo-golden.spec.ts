/** Replays WebSocket exchanges that were recorded from Centrifugo 6.9.1. */
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CentrifugoApp } from '../../support/centrifugo-app.js';
import { type Outcome, Replay, type Step } from '../../support/golden-replay.js';
import {
  correctedScenarioNames,
  unsupportedScenarios,
  scenarioNames,
  scenariosOnSockets,
  scenariosOverHttp,
} from '../../support/golden-scenarios.js';
import { ProxyBackend } from '../../support/proxy-backend.js';
import { longestPause } from '../../support/time-taken.js';

const configs = ['main', 'timing', 'limits'];

/** The recorded times are one second or more. A process that was suspended for this long cannot meet them. */
const LONGEST_PAUSE_MS = 300;

/** Repeats the scenario with a new server if the machine was too slow for the recorded times. */
async function replay(
  steps: readonly Step[],
  file: string,
  app: CentrifugoApp,
  attempts = 5,
): Promise<Outcome> {
  let outcome: Outcome | undefined;
  const pauseMs = await longestPause(async () => (outcome = await new Replay(app).run(steps)));
  const { got, wanted } = outcome!;
  if (isDeepStrictEqual(got, wanted) || pauseMs < LONGEST_PAUSE_MS || attempts === 1) return { got, wanted };
  await using another = await CentrifugoApp.start(file);
  return await replay(steps, file, another, attempts - 1);
}

describe.each(configs)('with config-%s.json', (config) => {
  let app: CentrifugoApp;

  beforeAll(async () => {
    app = await CentrifugoApp.start(`config-${config}.json`);
  });

  afterAll(() => app[Symbol.asyncDispose]());

  it.each(scenariosOnSockets(config))('$name: $about', async ({ steps }) => {
    const { got, wanted } = await replay(steps, `config-${config}.json`, app);
    expect(got).toEqual(wanted);
  });
});

describe('with config-proxy.json', () => {
  let backend: ProxyBackend;
  let settings: Record<string, string>;

  beforeAll(async () => {
    backend = await ProxyBackend.start();
    const steps = ['connect', 'refresh', 'subscribe', 'publish', 'subRefresh', 'rpc'];
    settings = Object.fromEntries(
      steps.map((step) => [
        `gateway.client.proxies.${step}.endpoint`,
        `${backend.url}/${step === 'subRefresh' ? 'sub_refresh' : step}`,
      ]),
    );
  });

  afterAll(() => backend[Symbol.asyncDispose]());

  it.each(scenariosOnSockets('proxy'))('$name: $about', async ({ steps }) => {
    await using app = await CentrifugoApp.start('config-proxy.json', settings);
    const { got, wanted } = await new Replay(app, backend).run(steps);
    expect(got).toEqual(wanted);
    expect(backend.waiting).toBe(0);
  });
});

describe('with a server of its own', () => {
  it.each(scenariosOnSockets('shutdown'))('$name: $about', async ({ steps }) => {
    await using app = await CentrifugoApp.start('config-main.json');
    const { got, wanted } = await new Replay(app).run(steps);
    expect(got).toEqual(wanted);
  });
});

it('replays every scenario except the listed ones', () => {
  const onSockets = [...configs, 'proxy', 'shutdown'].flatMap(scenariosOnSockets);
  const replayed = [...onSockets, ...scenariosOverHttp()].map(({ name }) => name);
  expect([...replayed, ...unsupportedScenarios].toSorted()).toEqual(scenarioNames().toSorted());
  expect(correctedScenarioNames().filter((name) => !replayed.includes(name))).toEqual([]);
});
