import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { BrokerStatus } from '../metrics/index.js';
import { ProgressWatch } from './progress-watch.js';

describe('ProgressWatch', () => {
  let status: BrokerStatus;
  let watch: ProgressWatch;
  beforeEach(() => {
    jest.useFakeTimers();
    status = new BrokerStatus('lane');
    watch = new ProgressWatch(() => status, 30_000);
    watch.start();
  });
  afterEach(() => {
    watch.close();
    jest.useRealTimers();
  });

  const lag = (records: number, acknowledged?: string, isAssigned?: boolean) => [
    {
      topic: 't',
      partition: 0,
      records,
      ...(acknowledged === undefined ? {} : { acknowledged }),
      ...(isAssigned === undefined ? {} : { isAssigned }),
    },
  ];

  it('is up while nothing is reported', () => {
    jest.advanceTimersByTime(600_000);
    expect(status.state).toBe('up');
  });

  it('is down with the latest reason after a cause has lasted for the time, and up when it is over', () => {
    watch.blocked('membership', 'first');
    jest.advanceTimersByTime(20_000);
    watch.blocked('membership', 'codec not implemented');
    expect(status.state).toBe('up');
    jest.advanceTimersByTime(10_000);
    expect(status).toMatchObject({ state: 'down', reason: 'codec not implemented' });
    watch.unblocked('membership');
    expect(status.state).toBe('up');
  });

  it('stays down while another cause is left', () => {
    watch.blocked('a', 'a');
    watch.blocked('b', 'b');
    jest.advanceTimersByTime(30_000);
    watch.unblocked('a');
    expect(status.state).toBe('down');
    watch.unblocked('b');
    expect(status.state).toBe('up');
  });

  it('takes no reports before the lane is consumed', () => {
    let opened = 0;
    const idle = new ProgressWatch(() => {
      opened++;
      return status;
    }, 30_000);
    idle.blocked('a', 'a');
    idle.measured(lag(5, '1'));
    idle.measured(lag(5, '1'));
    jest.advanceTimersByTime(60_000);
    expect(opened).toBe(0);
    expect(status.state).toBe('up');
  });

  it('forgets a cause that is not reported again', () => {
    watch.blocked('a', 'a');
    jest.advanceTimersByTime(30_000);
    expect(status.state).toBe('down');
    jest.advanceTimersByTime(92_000);
    expect(status.state).toBe('up');
  });

  it('is down while the same work keeps failing, and up after its first success', async () => {
    const fail = () => watch.follow('delivery of t/0', Promise.reject(new Error('no'))).catch(() => {});
    await fail();
    jest.advanceTimersByTime(29_000);
    await fail();
    jest.advanceTimersByTime(1_000);
    expect(status.reason).toBe('delivery of t/0 keeps failing: no');
    await watch.follow('delivery of t/1', Promise.resolve());
    expect(status.state).toBe('down');
    await watch.follow('delivery of t/0', Promise.resolve());
    expect(status.state).toBe('up');
  });

  it('is down if a backlog does not move, and up when it moves', () => {
    watch.measured(lag(5, '10'));
    watch.measured(lag(6, '10'));
    jest.advanceTimersByTime(30_000);
    expect(status).toMatchObject({
      state: 'down',
      reason: 'the backlog of t/0 does not move: 6 record(s) wait',
    });
    watch.measured(lag(9, '11'));
    expect(status.state).toBe('up');
  });

  it('does not judge a backlog that moves, is empty, has no mark or belongs to another process', () => {
    for (const measurements of [
      [lag(5, '1'), lag(6, '2'), lag(7, '3')],
      [lag(0, '1'), lag(0, '1')],
      [lag(5), lag(5)],
      [lag(5, '1', false), lag(5, '1', false)],
    ]) {
      for (const measurement of measurements) watch.measured(measurement);
      jest.advanceTimersByTime(31_000);
      expect(status.state).toBe('up');
    }
  });

  it('names the reporter, and forgets its causes together', () => {
    watch.scoped('consumer a-b').blocked('membership', 'it keeps ending');
    watch.scoped('consumer a-b2').blocked('membership', 'it keeps ending');
    jest.advanceTimersByTime(30_000);
    expect(status.reason).toBe('consumer a-b: it keeps ending');
    watch.scoped('consumer a-b2').unblocked('membership');
    expect(status.state).toBe('down');
    watch.forget('consumer a-b:');
    expect(status.state).toBe('up');
  });

  it('ignores reports after it is closed', () => {
    watch.blocked('a', 'a');
    jest.advanceTimersByTime(30_000);
    watch.close();
    expect(status.state).toBe('up');
    watch.blocked('a', 'a');
    jest.advanceTimersByTime(60_000);
    expect(status.state).toBe('up');
  });
});
