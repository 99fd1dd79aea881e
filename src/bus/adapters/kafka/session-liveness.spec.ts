import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { SessionLiveness } from './session-liveness.js';

const SESSION_MS = 6_000;

describe('SessionLiveness', () => {
  const client = new Kafka({ brokers: ['localhost:1'], logLevel: logLevel.NOTHING });
  const { events } = client.consumer({ groupId: 'g' });
  let instrumentation: EventEmitter;
  let session: SessionLiveness;
  beforeEach(() => {
    jest.useFakeTimers();
    instrumentation = new EventEmitter();
    session = new SessionLiveness(SESSION_MS);
    session.follow({ events, on: instrumentation.on.bind(instrumentation) as never });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const respond = (apiName: string, duration = 0) =>
    instrumentation.emit(events.REQUEST, { payload: { apiName, duration, sentAt: Date.now() - duration } });
  const heartbeat = (duration = 0) => {
    respond('Heartbeat', duration);
    instrumentation.emit(events.HEARTBEAT, {});
  };

  it('is alive for the session time-out after each heartbeat', async () => {
    heartbeat();
    jest.advanceTimersByTime(SESSION_MS - 1);
    expect(session.isAlive).toBe(true);
    await session.renewed();
    jest.advanceTimersByTime(1);
    expect(session.isAlive).toBe(false);
    const renewed = session.renewed();
    heartbeat();
    await renewed;
    expect(session.isAlive).toBe(true);
  });

  it('is not renewed by a response to an old request, nor by responses to other requests', () => {
    jest.advanceTimersByTime(SESSION_MS);
    heartbeat(SESSION_MS);
    expect(session.isAlive).toBe(false);
    respond('Fetch');
    instrumentation.emit(events.HEARTBEAT, {});
    expect(session.isAlive).toBe(false);
    respond('SyncGroup');
    instrumentation.emit(events.GROUP_JOIN, {});
    expect(session.isAlive).toBe(true);
  });

  it('ends during a suspension, which only the wall clock measures, and although the wall clock was set back', () => {
    heartbeat();
    jest.setSystemTime(Date.now() + SESSION_MS);
    expect(session.isAlive).toBe(false);
    expect(session.silenceMs).toBe(0);
    heartbeat();
    expect(session.isAlive).toBe(true);
    jest.setSystemTime(Date.now() - 3_600_000);
    jest.advanceTimersByTime(SESSION_MS);
    expect(session.isAlive).toBe(false);
  });
});
