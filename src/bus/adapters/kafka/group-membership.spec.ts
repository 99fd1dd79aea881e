import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { SessionLiveness } from './group-membership.js';

const SESSION_MS = 6_000;

describe('SessionLiveness', () => {
  const client = new Kafka({ brokers: ['localhost:1'], logLevel: logLevel.NOTHING });
  const { events } = client.consumer({ groupId: 'g' });
  let instrumentation: EventEmitter;
  let standing: SessionLiveness;
  beforeEach(() => {
    jest.useFakeTimers();
    instrumentation = new EventEmitter();
    standing = new SessionLiveness(SESSION_MS);
    standing.follow({ events, on: instrumentation.on.bind(instrumentation) as never });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const answer = (apiName: string, duration = 0) =>
    instrumentation.emit(events.REQUEST, { payload: { apiName, duration, sentAt: Date.now() - duration } });
  const heartbeat = (duration = 0) => {
    answer('Heartbeat', duration);
    instrumentation.emit(events.HEARTBEAT, {});
  };

  it('is sure for the length of a session from each heartbeat on', async () => {
    heartbeat();
    jest.advanceTimersByTime(SESSION_MS - 1);
    expect(standing.isSure).toBe(true);
    await standing.heard();
    jest.advanceTimersByTime(1);
    expect(standing.isSure).toBe(false);
    const heard = standing.heard();
    heartbeat();
    await heard;
    expect(standing.isSure).toBe(true);
  });

  it('is not made sure by an answer to what was asked a session ago, nor by other answers', () => {
    jest.advanceTimersByTime(SESSION_MS);
    heartbeat(SESSION_MS);
    expect(standing.isSure).toBe(false);
    answer('Fetch');
    instrumentation.emit(events.HEARTBEAT, {});
    expect(standing.isSure).toBe(false);
    answer('SyncGroup');
    instrumentation.emit(events.GROUP_JOIN, {});
    expect(standing.isSure).toBe(true);
  });

  it('is not sure after a suspension, in which one clock stood still, nor when the other was set back', () => {
    heartbeat();
    jest.setSystemTime(Date.now() + SESSION_MS);
    expect(standing.isSure).toBe(false);
    expect(standing.silenceMs).toBe(0);
    heartbeat();
    expect(standing.isSure).toBe(true);
    jest.setSystemTime(Date.now() - 3_600_000);
    jest.advanceTimersByTime(SESSION_MS);
    expect(standing.isSure).toBe(false);
  });
});
