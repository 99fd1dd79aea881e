import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { BrokerStatus } from '../../metrics/index.js';
import type { ScheduledMessage } from '../../message/index.js';
import { ProgressWatch } from '../progress-watch.js';
import { OverdueWatch } from './overdue-watch.js';

describe('OverdueWatch', () => {
  let status: BrokerStatus;
  let messages: ScheduledMessage[];
  let close: () => void;
  beforeEach(() => {
    jest.useFakeTimers();
    status = new BrokerStatus('lane');
    messages = [];
    const progress = new ProgressWatch(() => status, 30_000);
    progress.start();
    const watch = new OverdueWatch({ list: async () => ({ messages }) }, progress, 5_000);
    close = () => {
      watch.close();
      progress.close();
    };
  });
  afterEach(() => {
    close();
    jest.useRealTimers();
  });

  const due = (id: string, dueAt: number): ScheduledMessage => ({
    id,
    channel: 'c',
    data: Buffer.from('1'),
    format: 'json',
    createdAt: 0,
    dueAt,
  });

  it('turns red while the same message stays overdue, and green when it is delivered', async () => {
    messages = [due('a', Date.now())];
    await jest.advanceTimersByTimeAsync(60_000);
    expect(status.state).toBe('down');
    expect(status.reason).toMatch(
      /^the backlog of the delayed lane does not move: message a is \d+ s overdue$/,
    );
    messages = [due('b', Date.now() + 60_000)];
    await jest.advanceTimersByTimeAsync(5_000);
    expect(status.state).toBe('up');
  });

  it('stays green while late messages are delivered', async () => {
    for (let id = 0; id < 20; id++) {
      messages = [due(String(id), Date.now() - 60_000)];
      await jest.advanceTimersByTimeAsync(5_000);
      expect(status.state).toBe('up');
    }
  });
});
