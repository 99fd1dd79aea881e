import { describe, expect, it } from '@jest/globals';
import type { ControlCommand } from '../../../../delivery/index.js';
import { SingleConnectionPolicy } from './single-connection-policy.js';
import { ControlHandler } from './control-handler.js';
import type { Phase } from './session.js';
import type { HandlerDependencies } from '../handlers/handler-dependencies.js';

/** The part of a session that commands use. */
class FakeSession {
  readonly id = 'me';
  readonly takeoverAt = 0;
  info: Buffer | undefined;
  expireAt = 0;
  readonly observed: string[] = [];
  readonly subscriptions = new Map([['c', { end: () => this.observed.push('end c') }]]);

  constructor(readonly phase: Phase) {}

  get isConnected(): boolean {
    return this.phase === 'connected';
  }

  readonly transport = { terminate: () => this.observed.push('terminate') };

  close({ code }: { code: number }): void {
    this.observed.push(`close ${code}`);
  }

  push(kind: string): void {
    if (this.isConnected) this.observed.push(`push ${kind}`);
  }

  setExpiry(at: number): void {
    this.expireAt = at;
    this.observed.push(`expires ${at}`);
  }
}

describe('ControlHandler', () => {
  const user = 'u';
  const observed = (phase: Phase, command: ControlCommand): string[] => {
    const session = new FakeSession(phase);
    const dependencies = {
      users: { sessionsOf: () => [session] },
      singleConnection: new SingleConnectionPolicy({} as never),
    };
    new ControlHandler(dependencies as unknown as HandlerDependencies).execute(command);
    return session.observed;
  };

  it('reaches a client that is still connecting after its token was accepted', () => {
    expect(observed('connecting', { kind: 'disconnect', user })).toEqual(['close 3503']);
    expect(observed('connecting', { kind: 'unsubscribe', user, channel: 'c' })).toEqual(['end c']);
    expect(observed('connecting', { kind: 'refresh', user, expired: true })).toEqual(['close 3005']);
    expect(observed('connecting', { kind: 'refresh', user, expired: false, expiresAt: 9e15 })).toEqual([
      'expires 9000000000000',
    ]);
  });

  it('ends a connection without a close frame for the code that clients never receive', () => {
    const disconnect = { code: 3000, reason: 'connection closed' };
    expect(observed('connected', { kind: 'disconnect', user, disconnect })).toEqual(['terminate']);
  });

  it('does not close a connecting client for the takeover of another: it will announce its own', () => {
    const claim = { at: 5, client: 'other' };
    expect(observed('connecting', { kind: 'disconnect', user, claim })).toEqual([]);
    expect(observed('connected', { kind: 'disconnect', user, claim })).toEqual(['close 3503']);
  });

  it('ignores a client whose connect was refused', () => {
    expect(observed('refused', { kind: 'disconnect', user })).toEqual([]);
  });
});
