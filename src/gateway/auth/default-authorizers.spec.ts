import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { z } from 'zod';
import { ChannelRules, channelsOptions, type ChannelRule } from '../../delivery/index.js';
import type { ClientContext, ConnectAttempt } from './attempts.js';
import { AuthorizerChain } from './authorizer-chain.js';
import { refused, type SubscribeDecision } from './decisions.js';
import { RulesAuthorizer } from './rules/rules.authorizer.js';
import { generateToken } from './tokens/cli.js';
import { TokenAuthorizer } from './tokens/token.authorizer.js';
import { tokensOptions } from './tokens/tokens.options.js';

type ChannelSettings = z.input<typeof channelsOptions>['withoutNamespace'];

const tokens = tokensOptions.parse({ connection: { hmacSecretKey: 'secret' } });
const strict = {
  tokens,
  disallowAnonymousConnectionTokens: false,
  allowAnonymousConnectWithoutToken: false,
  insecure: false,
  personalChannel: { enabled: false, namespace: '' },
};
const client = { connectionId: 'me' } as ClientContext;
const token = (user: string, channel?: string) => generateToken(tokens, { user, channel }) ?? '';

function setUp(withoutNamespace: ChannelSettings = {}, options: Partial<typeof strict> = {}) {
  const rules = new ChannelRules(channelsOptions.parse({ withoutNamespace }));
  const all = { ...strict, ...options };
  const authorizers = [new TokenAuthorizer(all), new RulesAuthorizer(all, rules)];
  return { rules, chain: new AuthorizerChain(authorizers.map((authorizer) => ({ authorizer }))) };
}

describe('the default authorizers about connect', () => {
  const attempt = (given: string): ConnectAttempt => ({
    client,
    token: given,
    data: undefined,
    name: '',
    version: '',
    channels: [],
  });

  it('allow a good token, and decide without a promise if it is signed with a secret', () => {
    expect(setUp().chain.connect(attempt(token('ann')))).toMatchObject({ outcome: 'allowed', user: 'ann' });
  });

  it('refuse an invalid token, and one without a user if those are not allowed', () => {
    expect(setUp().chain.connect(attempt('x'))).toMatchObject({ outcome: 'refused', cause: 'invalidToken' });
    const { chain } = setUp({}, { disallowAnonymousConnectionTokens: true });
    expect(chain.connect(attempt(token('')))).toMatchObject({ cause: 'permissionDenied' });
  });

  it('refuse a client without a token, unless anonymous clients may connect', () => {
    expect(setUp().chain.connect(attempt(''))).toEqual(refused('noCredentials'));
    const allowed = { outcome: 'allowed' };
    expect(setUp({}, { insecure: true }).chain.connect(attempt(''))).toEqual(allowed);
    const anonymous = setUp({}, { allowAnonymousConnectWithoutToken: true });
    expect(anonymous.chain.connect(attempt(''))).toEqual(allowed);
  });
});

describe('the default authorizers about subscribe', () => {
  const open: ChannelSettings = { allowSubscribeForClient: true };

  function decide(settings: ChannelSettings, channel: string, given: string): SubscribeDecision {
    const { chain, rules } = setUp(settings);
    const rule = rules.find(channel) as ChannelRule;
    const attempt = { client, user: '42', meta: undefined, channel, rule, token: given, data: undefined };
    return chain.subscribe({ ...attempt, atConnect: false }) as SubscribeDecision;
  }

  it.each<[ChannelSettings, string]>([
    [{}, 'c'],
    [open, 'c'],
    [open, '$c'],
    [{ subscribeProxyEnabled: true }, 'c'],
  ])('decide by the token if there is one: with %j on %s', (settings, channel) => {
    expect(decide(settings, channel, token('42', channel))).toMatchObject({ outcome: 'allowed' });
    expect(decide(settings, channel, 'x')).toMatchObject({ outcome: 'refused', cause: 'permissionDenied' });
    expect(decide(settings, channel, token('43', channel))).toMatchObject({ cause: 'invalidToken' });
    expect(decide(settings, channel, token('42', 'other'))).toMatchObject({ cause: 'invalidToken' });
  });

  it('follow the options of the channel without a token', () => {
    expect(decide(open, 'c', '')).toEqual({ outcome: 'allowed' });
    expect(decide({}, 'c', '')).toEqual(refused('permissionDenied'));
    expect(decide({ subscribeProxyEnabled: true }, 'c', '')).toEqual(refused('notAvailable'));
  });
});

describe('the default authorizers about other steps', () => {
  const common = { client, user: '42', meta: undefined };

  it('refuse a new token of another user', () => {
    const { chain } = setUp();
    expect(chain.refresh({ ...common, token: token('42') })).toMatchObject({ outcome: 'allowed' });
    expect(chain.refresh({ ...common, token: token('43') })).toMatchObject({ cause: 'invalidToken' });
    const renewal = { ...common, channel: 'c' };
    expect(chain.subRefresh({ ...renewal, token: token('42', 'c') })).toMatchObject({ outcome: 'allowed' });
    expect(chain.subRefresh({ ...renewal, token: 'x' })).toMatchObject({ cause: 'invalidToken' });
  });

  it('follow the options of the channel for publications', () => {
    const publish = (settings: ChannelSettings, isSubscribed = false) => {
      const { chain, rules } = setUp(settings);
      const rule = rules.find('c') as ChannelRule;
      return chain.publish({ ...common, channel: 'c', rule, data: Buffer.from('{}'), isSubscribed });
    };
    expect(publish({ allowPublishForClient: true })).toEqual({ outcome: 'allowed' });
    expect(publish({ allowPublishForSubscriber: true })).toEqual(refused('permissionDenied'));
    expect(publish({ allowPublishForSubscriber: true }, true)).toEqual({ outcome: 'allowed' });
    expect(publish({ publishProxyEnabled: true })).toEqual(refused('notAvailable'));
  });

  it('abstain from rpc', () => {
    expect(setUp().chain.rpc({ ...common, method: 'm', data: undefined })).toEqual({ outcome: 'abstained' });
  });

  it('need a promise for a public key', async () => {
    const { publicKey } = generateKeyPairSync('ed25519');
    const pem = publicKey.export({ type: 'spki', format: 'pem' });
    const withKey = tokensOptions.parse({ connection: { ed25519PublicKey: pem } });
    const { chain } = setUp({}, { tokens: withKey });
    const header = Buffer.from('{"alg":"EdDSA"}').toString('base64url');
    const decision = chain.refresh({ ...common, token: `${header}.e30.AAAA` });
    expect(decision).toBeInstanceOf(Promise);
    expect(await decision).toMatchObject({ cause: 'invalidToken' });
  });
});

describe('the default authorizers about the personal channel of another user', () => {
  // The characters that mean something in a name, and two users to combine with them.
  const user = fc.string({ unit: fc.constantFrom('a', 'b', ',', '#', ':', '$'), maxLength: 5 });

  it.each(['', 'p'])(
    'refuse it without a token, whatever the options allow, in namespace "%s"',
    (namespace) => {
      const personalChannel = { enabled: true, namespace };
      const property = fc.property(
        fc.record({ owner: user, other: user, limited: fc.boolean(), insecure: fc.boolean() }),
        ({ owner, other, limited, insecure }) => {
          fc.pre(owner !== other);
          const open = { allowSubscribeForClient: true, allowSubscribeForAnonymous: true };
          const options = { ...open, allowUserLimitedChannels: limited };
          const rules = new ChannelRules(
            channelsOptions.parse({ withoutNamespace: options, namespaces: [{ name: 'p', ...options }] }),
          );
          const channel = rules.personalChannel(namespace, owner);
          const rule = rules.findForClient(channel);
          fc.pre(typeof rule !== 'string');
          const authorizer = new RulesAuthorizer({ ...strict, insecure, personalChannel }, rules);
          const attempt = {
            client,
            user: other,
            meta: undefined,
            token: '',
            data: undefined,
            atConnect: false,
          };
          expect(authorizer.subscribe({ ...attempt, channel, rule })).toMatchObject({ outcome: 'refused' });
        },
      );
      fc.assert(property, { numRuns: 500 });
    },
  );

  it('leave other user-limited channels to the users in their names', () => {
    const rules = new ChannelRules(
      channelsOptions.parse({ withoutNamespace: { allowUserLimitedChannels: true } }),
    );
    const personalChannel = { enabled: true, namespace: '' };
    const authorizer = new RulesAuthorizer({ ...strict, personalChannel }, rules);
    const rule = rules.find('dialog#a,b') as ChannelRule;
    const attempt = { client, user: 'a', meta: undefined, token: '', data: undefined, atConnect: false };
    expect(authorizer.subscribe({ ...attempt, channel: 'dialog#a,b', rule })).toEqual({ outcome: 'allowed' });
  });
});
