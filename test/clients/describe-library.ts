import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { describeWithOwn } from '../support/brokers.ts';
import { describeGiven } from '../support/gate.ts';
import type { ClientProtocol, Launch } from './client-program.ts';
import type { ClientLibrary } from './libraries.ts';
import { scenarios } from './scenarios.ts';
import { ClientFixture } from './client-fixture.ts';
import { ServerFixture, type Engine } from './server-fixture.ts';

/** Runs every scenario with the library: on one process, on one process with Redis, and on three replicas with Redis. */
export function describeLibrary(library: ClientLibrary): void {
  const obstacle = library.obstacle();
  describeGiven(obstacle === undefined ? [] : [obstacle], library.name, () => {
    describe('on one process', () => describeScenarios(library, 'memory', 1));
    describeWithOwn('redis', `${library.name} on one process with Redis`, () =>
      describeScenarios(library, 'redis', 1),
    );
    describeWithOwn('redis', `${library.name} on three replicas with Redis`, () =>
      describeScenarios(library, 'redis', 3),
    );
  });
}

function describeScenarios(library: ClientLibrary, engine: Engine, replicas: number): void {
  let launch: Launch;
  let server: ServerFixture;
  beforeAll(async () => void (launch = await library.prepare()));
  beforeAll(async () => void (server = await ServerFixture.start(engine, replicas)));
  // It is undefined if it failed to start. The hook above has then reported why.
  afterAll(async () => (server as ServerFixture | undefined)?.[Symbol.asyncDispose]());

  // With Redis, a single process runs only the scenarios that need Redis.
  const isIncluded = (wanted: Engine | undefined): boolean =>
    engine === 'redis' && replicas === 1 ? wanted === 'redis' : (wanted ?? engine) === engine;
  for (const protocol of ['json', 'protobuf'] satisfies ClientProtocol[]) {
    describe(`in ${protocol}`, () => {
      for (const { title, run, ...only } of scenarios) {
        if (!isIncluded(only.engine) || (only.protocol ?? protocol) !== protocol) continue;
        // oxlint-disable-next-line jest/expect-expect -- a scenario waits for the events that it expects
        it(title, async () => {
          await server.restoreReplicas(replicas);
          await using fixture = new ClientFixture(server, protocol, launch);
          await run(fixture);
        });
      }
    });
  }
}
