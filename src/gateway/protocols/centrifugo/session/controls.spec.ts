import { describe, expect, it } from '@jest/globals';
import type { ControlCommand } from '../../../../delivery/index.js';
import { Claims } from './single-connection-policy.js';
import { Controls } from './controls.js';
import type { Phase } from './session.js';
import type { Shared } from '../handlers/handler-dependencies.js';

/** A session as far as commands see it. */
class Listener {
  readonly id = 'me';
  readonly claimedAt = 0;
  info: Buffer | undefined;
  expireAt = 0;
  readonly heard: string[] = [];
  readonly subscriptions = new Map([['c', { end: () => this.heard.push('end c') }]]);

  constructor(readonly phase: Phase) {}

  get isConnected(): boolean {
    return this.phase === 'connected';
  }

  close({ code }: { code: number }): void {
    this.heard.push(`close ${code}`);
  }

  push(kind: string): void {
    if (this.isConnected) this.heard.push(`push ${kind}`);
  }

  expiresAt(at: number): void {
    this.expireAt = at;
    this.heard.push(`expires ${at}`);
  }
}

describe('Controls', () => {
  const user = 'u';
  const heard = (phase: Phase, command: ControlCommand): string[] => {
    const session = new Listener(phase);
    const shared = { users: { sessionsOf: () => [session] }, claims: new Claims({} as never) };
    new Controls(shared as unknown as Shared).carryOut(command);
    return session.heard;
  };

  it('reach a client whose token was accepted, although it is not connected yet', () => {
    expect(heard('connecting', { kind: 'disconnect', user })).toEqual(['close 3503']);
    expect(heard('connecting', { kind: 'unsubscribe', user, channel: 'c' })).toEqual(['end c']);
    expect(heard('connecting', { kind: 'refresh', user, expired: true })).toEqual(['close 3005']);
    expect(heard('connecting', { kind: 'refresh', user, expired: false, expiresAt: 9e15 })).toEqual([
      'expires 9000000000000',
    ]);
  });

  it('leave a client alone that is about to claim its user itself', () => {
    const claim = { at: 5, client: 'other' };
    expect(heard('connecting', { kind: 'disconnect', user, claim })).toEqual([]);
    expect(heard('connected', { kind: 'disconnect', user, claim })).toEqual(['close 3503']);
  });

  it('leave a client alone whose connect was refused', () => {
    expect(heard('refused', { kind: 'disconnect', user })).toEqual([]);
  });
});
