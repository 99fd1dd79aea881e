import { describe, expect, it } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import { EndOfTurn } from './response-batcher.js';

describe('EndOfTurn', () => {
  it('does in one go, in order, what a turn put off', async () => {
    const done: string[] = [];
    const endOfTurn = new EndOfTurn();
    endOfTurn.add(() => done.push('a'));
    await Promise.resolve();
    endOfTurn.add(() => {
      done.push('b');
      queueMicrotask(() => done.push('after'));
    });
    endOfTurn.add(() => done.push('c'));
    expect(done).toEqual([]);
    await turn();
    expect(done).toEqual(['a', 'b', 'c', 'after']);
  });

  it('leaves to the next turn what is put off meanwhile', async () => {
    const done: string[] = [];
    const endOfTurn = new EndOfTurn();
    endOfTurn.add(() => endOfTurn.add(() => done.push('later')));
    await turn();
    expect(done).toEqual([]);
    await turn();
    expect(done).toEqual(['later']);
  });
});
