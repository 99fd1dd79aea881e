import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ClientContext } from '../../../auth/attempts.js';
import { closeCodes } from '../close-codes.js';
import { TimerWheel } from '../../../connection/timer-wheel.js';
import type { ClientSubscription } from '../subscriptions/client-subscription.js';
import { clientOptions } from '../centrifugo.options.js';
import { jsonCodec } from '../codec/codecs.js';
import { CommandRefusedError, replyErrors } from '../centrifugo.errors.js';
import { PublicationFormats } from '../codec/publication-formats.js';
import type { SessionTransport } from './session-transport.js';
import { Session, type Handlers, type SessionHost } from './session.js';

const STALE_MS = 10_000;

let wheel: TimerWheel;
let now: number;
let log: string[];
let waitMs: number;
let isShareUsed: boolean;
let mayBeRefused: number;
let session: Session;

const transport: SessionTransport = {
  id: 'me',
  network: '127.0.0.1',
  codec: jsonCodec,
  formats: new PublicationFormats(jsonCodec),
  send: (message) => void log.push(message.toString()),
  sendShared: ({ bytes }) => void log.push(String(bytes)),
  deliver: () => true,
  leftOut: () => {},
  startPings: () => true,
  pong: () => false,
  caughtUp: () => undefined,
  pause: () => void log.push('pause'),
  resume: () => void log.push('resume'),
  close: ({ code }) => {
    log.push(`close ${code}`);
    session.end();
  },
  terminate: () => void log.push('cut'),
};

const context = { connectionId: 'me' } as ClientContext;

const handlers = {
  connect: (its, id) => {
    its.phase = 'connecting';
    its.reply(id, 'connect', { client: its.id });
    its.markConnected();
    return undefined;
  },
  unsubscribe: (its, id) => {
    its.reply(id, 'unsubscribe', {});
    return undefined;
  },
  rpc: () => Promise.reject(new CommandRefusedError(replyErrors.notAvailable)),
  history: () => Promise.reject(new Error('a defect')),
} as Partial<Handlers> as Handlers;

const hosted = (overrides: Partial<SessionHost> = {}): SessionHost =>
  ({
    options: clientOptions.parse({ staleCloseDelayMs: STALE_MS }),
    wheel,
    handlers,
    renewal: { ofConnections: false },
    takeCommand: () => waitMs,
    takeShared: () => (isShareUsed ? undefined : 0),
    countRefused: () => mayBeRefused-- > 0,
    onEnded: () => void log.push('ended'),
    inBackground: () => {},
    ...overrides,
  }) as SessionHost;

const say = (...lines: string[]) => session.receiveFrame(jsonCodec.readFrame(Buffer.from(lines.join('\n'))));
const CONNECT = '{"id":1,"connect":{}}';

function elapse(ms: number): void {
  for (const end = now + ms; now < end;) {
    now += 100;
    jest.setSystemTime(now);
    wheel.advance();
  }
}

beforeEach(() => {
  now = 1_000_000;
  jest.useFakeTimers({ now, doNotFake: ['performance', 'setImmediate', 'nextTick', 'queueMicrotask'] });
  log = [];
  waitMs = 0;
  isShareUsed = false;
  mayBeRefused = 2;
  wheel = new TimerWheel({ tickMs: 100, now: () => now });
  session = new Session(transport, hosted(), context);
});

afterEach(() => {
  wheel.close();
  jest.useRealTimers();
});

async function settled(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

describe('a session', () => {
  it.each([
    ['anything before connect', ['{"id":1,"unsubscribe":{"channel":"a"}}']],
    ['a second connect', [CONNECT, CONNECT]],
    ['a pong without a ping', [CONNECT, '{}']],
    ['a malformed command', [CONNECT, '{"id":2}']],
  ])('closes with 3501 after %s', (_, lines) => {
    say(...lines);
    expect(log.slice(-2)).toEqual(['close 3501', 'ended']);
  });

  it('closes as stale if the client does not connect in time', () => {
    elapse(STALE_MS - 200);
    expect(log).toEqual([]);
    elapse(400);
    expect(log).toEqual(['close 3502', 'ended']);
  });

  it('is not stale once it is connected', () => {
    say(CONNECT);
    elapse(10 * STALE_MS);
    expect(log).toEqual(['{"id":1,"connect":{"client":"me"}}']);
  });

  it('replies with the error of a handler, and continues', async () => {
    say(CONNECT, '{"id":2,"rpc":{}}', '{"id":3,"unsubscribe":{"channel":"a"}}');
    await settled();
    expect(log.slice(1)).toEqual([
      '{"id":2,"error":{"code":108,"message":"not available"}}',
      '{"id":3,"unsubscribe":{}}',
    ]);
  });

  it('replies to an unexpected error with an internal error', async () => {
    say(CONNECT, '{"id":2,"history":{"channel":"a"}}');
    await settled();
    expect(log[1]).toBe('{"id":2,"error":{"code":100,"message":"internal server error","temporary":true}}');
  });

  it('replies with 111 to a command that exceeds the rate', () => {
    say(CONNECT);
    isShareUsed = true;
    say('{"id":2,"unsubscribe":{"channel":"a"}}');
    expect(log[1]).toBe('{"id":2,"error":{"code":111,"message":"too many requests","temporary":true}}');
  });

  it('executes a command that exceeds the rate later, and does not read from the client meanwhile', async () => {
    say(CONNECT);
    waitMs = 500;
    say('{"id":2,"unsubscribe":{"channel":"a"}}');
    expect(log.slice(1)).toEqual(['pause']);
    elapse(700);
    await settled();
    expect(log.slice(1)).toEqual(['pause', 'resume', '{"id":2,"unsubscribe":{}}']);
  });

  it('closes with 3509 if too many commands were refused', async () => {
    say(CONNECT);
    for (const id of [2, 3, 4]) say(`{"id":${id},"rpc":{}}`);
    await settled();
    expect(log.slice(-3)).toEqual([expect.stringContaining('"id":4,"error"'), 'close 3509', 'ended']);
  });

  it('closes with 3013 if a connect exceeds the rate', () => {
    isShareUsed = true;
    say(CONNECT);
    expect(log).toEqual(['close 3013', 'ended']);
  });

  it('executes nothing after a refused connect, and terminates the connection soon', async () => {
    const refusing = { ...handlers, connect: handlers.rpc } as unknown as Handlers;
    session = new Session(transport, hosted({ handlers: refusing }), context);
    say(CONNECT);
    await settled();
    say(CONNECT);
    expect(log).toEqual(['{"id":1,"error":{"code":108,"message":"not available"}}']);
    elapse(5_100);
    expect(log.slice(1)).toEqual(['cut']);
  });

  it('closes if its token has expired and was not renewed', () => {
    say(CONNECT);
    session.setExpiry(now / 1000 + 60);
    elapse(60_000 + 24_000);
    expect(log).toHaveLength(1);
    elapse(2_000);
    expect(log.slice(1)).toEqual(['close 3005', 'ended']);
  });

  it('stays connected if its token was renewed', () => {
    say(CONNECT);
    session.setExpiry(now / 1000 + 60);
    elapse(50_000);
    session.setExpiry(0);
    elapse(3_600_000);
    expect(log).toHaveLength(1);
  });

  it('stays closed if the reply to connect closed it', () => {
    session = new Session({ ...transport, send: () => session.close(closeCodes.slow) }, hosted(), context);
    say(CONNECT);
    expect(log).toEqual(['close 3008', 'ended']);
    expect(session.isOver).toBe(true);
  });

  it('renews its presence although the system clock is set back', () => {
    const enterPresence = jest.fn(async () => {});
    const subscription = { channel: 'a', hasPresence: true, isLive: true, endsAt: Infinity, enterPresence };
    say(CONNECT);
    session.subscriptions.add(subscription as unknown as ClientSubscription);
    session.scheduleUpkeep(subscription as unknown as ClientSubscription);
    for (let ticks = 0; ticks < 2 * 280; ticks++) {
      jest.setSystemTime(0);
      now += 100;
      wheel.advance();
    }
    expect(enterPresence).toHaveBeenCalledTimes(2);
  });

  it('renews its presence soon if the store may have lost it', () => {
    const enterPresence = jest.fn(async () => {});
    const subscription = { channel: 'a', hasPresence: true, isLive: true, endsAt: Infinity, enterPresence };
    say(CONNECT);
    session.subscriptions.add(subscription as unknown as ClientSubscription);
    session.scheduleUpkeep(subscription as unknown as ClientSubscription);
    session.renewPresenceSoon();
    elapse(27_000 / 4 + 200);
    expect(enterPresence).toHaveBeenCalledTimes(1);
    elapse(27_200);
    expect(enterPresence).toHaveBeenCalledTimes(2);
  });

  it('sends nothing after its end', () => {
    say(CONNECT);
    session.end();
    session.end();
    session.reply(2, 'unsubscribe', {});
    session.push('unsubscribe', 'a', { code: 2000 });
    say('{"id":3,"unsubscribe":{"channel":"a"}}');
    expect(log.slice(1)).toEqual(['ended']);
  });
});
