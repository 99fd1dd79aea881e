import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { CloseReason } from './close-codes.js';
import { Heartbeat, HeartbeatTiming } from './heartbeat.js';
import { TimerWheel } from './timer-wheel.js';

const client = {
  ping: jest.fn<() => void>(),
  wasPaused: jest.fn<() => boolean>(),
  closeFor: jest.fn<(reason: CloseReason) => void>(),
};
let now: number;
let timing: HeartbeatTiming;

function elapse(ms: number): void {
  for (const end = now + ms; now < end;) {
    now += 10;
    timing.wheel.advance();
  }
}

function begin(): Heartbeat {
  const heartbeat = new Heartbeat(client, timing);
  heartbeat.start();
  return heartbeat;
}

beforeEach(() => {
  jest.resetAllMocks();
  now = 0;
  const wheel = new TimerWheel({ tickMs: 10, now: () => now });
  timing = new HeartbeatTiming(wheel, { pingIntervalMs: 25_000, pongTimeoutMs: 8_000 });
});

afterEach(() => timing.wheel.close());

describe('Heartbeat', () => {
  it('sends the first ping after half an interval to a whole one', () => {
    const delays = Array.from({ length: 200 }, () => timing.firstDelayMs());
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(12_500);
    expect(Math.max(...delays)).toBeLessThan(25_000);
    expect(Math.max(...delays) - Math.min(...delays)).toBeGreaterThan(5_000);
  });

  it('keeps a client that answers', () => {
    const heartbeat = begin();
    client.ping.mockImplementation(() => heartbeat.pong());
    elapse(100_000);
    expect(client.ping.mock.calls.length).toBeGreaterThanOrEqual(4);
    expect(client.ping.mock.calls.length).toBeLessThanOrEqual(5);
    expect(client.closeFor).not.toHaveBeenCalled();
  });

  it('closes a client that does not answer in time', () => {
    begin();
    elapse(25_000 + 7_900);
    elapse(200);
    expect(client.closeFor).toHaveBeenCalledTimes(1);
    expect(client.closeFor).toHaveBeenCalledWith('noPong');
  });

  it('gives a client that was not read from more time', () => {
    client.wasPaused.mockReturnValueOnce(true);
    begin();
    while (client.ping.mock.calls.length === 0) elapse(10);
    elapse(8_200);
    expect(client.closeFor).not.toHaveBeenCalled();
    elapse(8_000);
    expect(client.closeFor).toHaveBeenCalledWith('noPong');
  });

  it('ignores a pong before the first ping', () => {
    const heartbeat = begin();
    heartbeat.pong();
    elapse(34_000);
    expect(client.closeFor).toHaveBeenCalledTimes(1);
  });

  it('does nothing after it is stopped', () => {
    begin().stop();
    elapse(60_000);
    expect(client.ping).not.toHaveBeenCalled();
    expect(client.closeFor).not.toHaveBeenCalled();
  });
});
