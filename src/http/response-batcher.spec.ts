import { describe, expect, it } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import { ResponseBatcher } from './response-batcher.js';

describe('ResponseBatcher', () => {
  it('sends the responses of one turn together and in order', async () => {
    const sent: string[] = [];
    const batcher = new ResponseBatcher();
    batcher.add(() => sent.push('a'));
    await Promise.resolve();
    batcher.add(() => {
      sent.push('b');
      queueMicrotask(() => sent.push('after'));
    });
    batcher.add(() => sent.push('c'));
    expect(sent).toEqual([]);
    await turn();
    expect(sent).toEqual(['a', 'b', 'c', 'after']);
  });

  it('leaves a response that is added while it sends to the next turn', async () => {
    const sent: string[] = [];
    const batcher = new ResponseBatcher();
    batcher.add(() => batcher.add(() => sent.push('later')));
    await turn();
    expect(sent).toEqual([]);
    await turn();
    expect(sent).toEqual(['later']);
  });
});
