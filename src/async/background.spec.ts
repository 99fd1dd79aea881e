import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { after, endOfTurn, every, inBackground, onBackgroundFailure, reportFailure } from './background.js';

const failures: [task: string, message: string][] = [];
const lines: string[] = [];
Logger.overrideLogger({
  log: () => {},
  warn: () => {},
  error: (message: string) => void lines.push(message),
});
const remove = onBackgroundFailure((task, error) => void failures.push([task, String(error)]));

afterEach(() => {
  failures.length = 0;
  lines.length = 0;
});

function failed(times = 1): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = onBackgroundFailure(() => {
    if (failures.length < times) return;
    stop();
    resolve();
  });
  return promise;
}

describe('a background task', () => {
  it('reports what it throws', () => {
    inBackground('a task that throws', () => {
      throw new Error('thrown');
    });
    expect(failures).toEqual([['a task that throws', 'Error: thrown']]);
    expect(lines).toEqual(['background failure, the process continues: a task that throws: thrown']);
  });

  it('reports what it rejects with', async () => {
    const failing = failed();
    inBackground('a task that rejects', () => Promise.reject(new Error('rejected')));
    await failing;
    expect(failures).toEqual([['a task that rejects', 'Error: rejected']]);
  });

  it('reports nothing when it succeeds', async () => {
    inBackground('a task', () => Promise.resolve());
    await delay(0);
    expect(failures).toEqual([]);
  });

  it('is repeated after a failure', async () => {
    const repeated = failed(3);
    const timer = every('a repeated task', 1, () => {
      throw new Error('again');
    });
    await repeated;
    clearInterval(timer);
    expect(new Set(failures.map(String))).toEqual(new Set(['a repeated task,Error: again']));
  });

  it.each([
    ['later', (work: () => void) => after('once', 1, work)],
    ['at the end of the turn', (work: () => void) => endOfTurn('once', work)],
  ])('that runs %s reports its failure', async (_, start) => {
    const failing = failed();
    start(() => {
      throw new Error('late');
    });
    await failing;
    expect(failures).toEqual([['once', 'Error: late']]);
  });

  it('is logged once a second, with the number of failures since', () => {
    for (let count = 0; count < 5; count++) reportFailure('a task that keeps failing', new Error('full'));
    expect(lines).toEqual(['background failure, the process continues: a task that keeps failing: full']);
    expect(failures).toHaveLength(5);
  });

  it('goes on when a listener throws', () => {
    const stop = onBackgroundFailure(() => {
      throw new Error('a listener');
    });
    expect(() => reportFailure('a task', new Error('failed'))).not.toThrow();
    stop();
  });

  it('is not reported to a listener that was removed', () => {
    remove();
    reportFailure('a task', new Error('failed'));
    expect(failures).toEqual([]);
  });
});
