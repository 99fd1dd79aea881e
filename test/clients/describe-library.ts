import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { describeWithOwn } from '../support/brokers.ts';
import { describeGiven } from '../support/gate.ts';
import type { ClientProtocol, Launch } from './client-program.ts';
import type { ClientLibrary } from './libraries.ts';
import { scenarios } from './scenarios.ts';
import { Scene } from './client-fixture.ts';
import { Stage, type Engine } from './server-fixture.ts';

/** Plays every scenario with the library: on one process, on one that shares its state with Redis, and on three. */
export function describeLibrary(library: ClientLibrary): void {
  const obstacle = library.obstacle();
  describeGiven(obstacle === undefined ? [] : [obstacle], library.name, () => {
    describe('on one process', () => onStage(library, 'memory', 1));
    describeWithOwn('redis', `${library.name} on one process with Redis`, () => onStage(library, 'redis', 1));
    describeWithOwn('redis', `${library.name} on three replicas with Redis`, () =>
      onStage(library, 'redis', 3),
    );
  });
}

function onStage(library: ClientLibrary, engine: Engine, replicas: number): void {
  let launch: Launch;
  let stage: Stage;
  beforeAll(async () => void (launch = await library.prepare()));
  beforeAll(async () => void (stage = await Stage.set(engine, replicas)));
  // Where it could not be set, the reason has been told.
  afterAll(async () => (stage as Stage | undefined)?.[Symbol.asyncDispose]());

  // Redis makes no difference to the other scenarios on a single process.
  const isPlayed = (wanted: Engine | undefined): boolean =>
    engine === 'redis' && replicas === 1 ? wanted === 'redis' : (wanted ?? engine) === engine;
  for (const protocol of ['json', 'protobuf'] satisfies ClientProtocol[]) {
    describe(`in ${protocol}`, () => {
      for (const { title, play, ...only } of scenarios) {
        if (!isPlayed(only.engine) || (only.protocol ?? protocol) !== protocol) continue;
        // oxlint-disable-next-line jest/expect-expect -- a scene waits for what it expects
        it(title, async () => {
          await stage.refill(replicas);
          await using scene = new Scene(stage, protocol, launch);
          await play(scene);
        });
      }
    });
  }
}
