import { describe, expect, it } from '@jest/globals';
import { isSigningSecret, Signer } from './signature.js';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

describe('Signer', () => {
  it('signs as the specification does', () => {
    const body = Buffer.from('{"test": 2432232314}');
    expect(new Signer([SECRET]).sign('msg_p5jXN8AQM9LWM0D4loKWxJek', 1_614_265_330, body)).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  it('adds a signature for each secret', () => {
    const other = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
    const { 'webhook-signature': both } = new Signer([SECRET, other]).sign('id', 1, Buffer.from(''));
    const single = [SECRET, other].map((secret) => new Signer([secret]).sign('id', 1, Buffer.from('')));
    expect(both).toBe(single.map((headers) => headers['webhook-signature']).join(' '));
  });
});

describe('isSigningSecret', () => {
  it.each([
    [SECRET, true],
    [SECRET.slice('whsec_'.length), false],
    ['whsec_c2hvcnQ=', false],
    ['whsec_not base64', false],
    [`whsec_${Buffer.alloc(65).toString('base64')}`, false],
  ])('of %s is %s', (text, expected) => {
    expect(isSigningSecret(text)).toBe(expected);
  });
});
