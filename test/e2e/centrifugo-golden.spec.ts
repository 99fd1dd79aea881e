/** The Centrifugo protocol as a Centrifugo 6.9.1 speaks it: recorded exchanges over WebSocket, replayed. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CentrifugoApp } from '../centrifugo-app.js';
import { Replay } from '../golden-replay.js';
import {
  exceptionNames,
  notYet,
  scenarioNames,
  scenariosOnSockets,
  scenariosOverHttp,
} from '../golden-scenarios.js';

const configs = ['main', 'timing', 'limits'];

describe.each(configs)('with config-%s.json', (config) => {
  let app: CentrifugoApp;

  beforeAll(async () => {
    app = await CentrifugoApp.start(`config-${config}.json`);
  });

  afterAll(() => app[Symbol.asyncDispose]());

  it.each(scenariosOnSockets(config))('$name: $about', async ({ steps }) => {
    const { got, wanted } = await new Replay(app).run(steps);
    expect(got).toEqual(wanted);
  });
});

describe('with a server of its own', () => {
  it.each(scenariosOnSockets('shutdown'))('$name: $about', async ({ steps }) => {
    await using app = await CentrifugoApp.start('config-main.json');
    const { got, wanted } = await new Replay(app).run(steps);
    expect(got).toEqual(wanted);
  });
});

it('leaves out no scenario but those that are listed', () => {
  const onSockets = [...configs, 'shutdown'].flatMap(scenariosOnSockets);
  const replayed = [...onSockets, ...scenariosOverHttp()].map(({ name }) => name);
  expect([...replayed, ...notYet].toSorted()).toEqual(scenarioNames().toSorted());
  expect(exceptionNames().filter((name) => !replayed.includes(name))).toEqual([]);
});
