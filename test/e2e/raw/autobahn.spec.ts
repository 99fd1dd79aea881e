import { expect, it } from '@jest/globals';
import { obstacleToAutobahn, runAutobahn, type CaseReport } from '../../clients/autobahn.ts';
import { describeWherePossible } from '../../support/gate.ts';
import { echoProtocol } from './echo.protocol.js';
import { serve, type Settings } from '../../support/gateway-app.js';

/** Limits that the test cases need, and that are too high for real clients. */
const settings: Settings = {
  // Cases 9.* send 16 MiB at once, 4 MiB in frames of 64 bytes followed by an empty frame, and a thousand messages as
  // fast as they are echoed.
  maxMessageBytes: 16 * 1_024 * 1_024,
  maxMessageFragments: 65_537,
  limits: { inbound: { perSecond: 10_000, burst: 1_000 } },
  // No case expects a ping.
  heartbeat: { pingIntervalMs: 600_000 },
};

const passed: ReadonlySet<string> = new Set(['OK', 'NON-STRICT', 'INFORMATIONAL']);

function didPass({ behavior, behaviorClose }: CaseReport): boolean {
  return passed.has(behavior) && passed.has(behaviorClose);
}

/**
 * The fuzzing client has fixed time limits, usually a second, and reports a fault if a busy machine is slower. Cases that failed are
 * therefore repeated one at a time: a real fault occurs again.
 */
async function play(url: string, cases: string): Promise<readonly CaseReport[]> {
  const reports = new Map<string, CaseReport>();
  let open = [cases];
  for (let attempt = 0; attempt < 3 && open.length > 0; attempt++) {
    for (const report of await runAutobahn(url, open)) reports.set(report.id, report);
    open = [...reports.values()].filter((report) => !didPass(report)).map(({ id }) => id);
  }
  return [...reports.values()];
}

function complaint(report: CaseReport): string {
  const { id, behavior, behaviorClose, description, expectation, result, resultClose, remoteCloseCode } =
    report;
  return (
    `case ${id}: ${behavior}, ${result} Closing with ${remoteCloseCode}: ${behaviorClose}, ${resultClose}. ` +
    `What it does: ${description} What it expects: ${expectation}`
  );
}

// Jest has to know whether to skip the tests before they are defined. The download is part of that decision. It may fail
// permanently, because Python 2.7 is no longer supported.
const obstacle = await obstacleToAutobahn();
const missing = obstacle === undefined ? [] : [obstacle];

describeWherePossible(missing, 'raw socket under the fuzzing client of Autobahn', () => {
  // All cases except 12.* and 13.*, which test compression. The server does not offer it.
  it.each([
    ['framing', '1.*', 16],
    ['pings and pongs', '2.*', 11],
    ['reserved bits', '3.*', 7],
    ['opcodes', '4.*', 10],
    ['fragmentation', '5.*', 20],
    ['UTF-8', '6.*', 145],
    ['closing', '7.*', 37],
    ['limits and performance', '9.*', 54],
    ['messages in many pieces', '10.*', 1],
  ])('conforms in %s (cases %s)', async (_, cases, count) => {
    await using server = await serve(settings, [echoProtocol]);
    const reports = await play(`${server.url}/message`, cases);
    expect(reports.filter((report) => !didPass(report)).map(complaint)).toEqual([]);
    expect(reports).toHaveLength(count);
  });
});
