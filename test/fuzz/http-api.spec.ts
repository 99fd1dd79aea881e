import { beforeAll, describe, expect, it } from '@jest/globals';
import { describeGiven } from '../support/gate.ts';
import { Server } from '../support/server.ts';
import { fuzzSeconds, fuzzSeed, fuzzTimeoutMs } from './budget.ts';
import { fuzzApi, prepareSchemathesis, schemathesisObstacle } from './schemathesis.ts';

const API_KEY = 'a-key-for-fuzzing-only';
const obstacle = schemathesisObstacle();

describe('the HTTP API under generated requests', () => {
  describeGiven(obstacle === undefined ? [] : [`Schemathesis (${obstacle})`], 'Schemathesis', () => {
    let packages: string;
    beforeAll(async () => {
      packages = await prepareSchemathesis();
    }, 600_000);

    it(
      'gives the responses that its OpenAPI document describes, and never an error of its own',
      async () => {
        await using server = await Server.start({ env: { CARILLON_API_KEY: API_KEY } });
        const failures = await fuzzApi(packages, {
          document: `${server.url}/docs/json`,
          apiKey: API_KEY,
          seconds: fuzzSeconds,
          seed: fuzzSeed,
        });
        expect(failures).toBe('');
        expect(server.output).not.toMatch(/"level":"(error|fatal)"/);
        expect((await fetch(`${server.url}/health/ready`)).status).toBe(200);
      },
      fuzzTimeoutMs,
    );
  });
});
