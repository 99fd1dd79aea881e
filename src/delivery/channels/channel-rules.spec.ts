import { describe, expect, it } from '@jest/globals';
import type { z } from 'zod';
import { channelsOptions } from './channel-options.js';
import { ChannelRules, type ChannelRule } from './channel-rules.js';

const rules = (given: z.input<typeof channelsOptions>): ChannelRules =>
  new ChannelRules(channelsOptions.parse(given));

const configured = rules({
  withoutNamespace: { allowUserLimitedChannels: true },
  namespaces: [
    { name: 'chat', historySize: 10, historyTtlMs: 1000 },
    { name: 'regex', channelRegex: '^[a-zé]+$', historyMetaTtlMs: 5 },
    { name: 'users', allowUserLimitedChannels: true },
  ],
});

const worded = (rule: ReturnType<ChannelRules['find']>): string =>
  typeof rule === 'string' ? rule : `namespace ${rule.namespace}`;
const found = (channel: string): string => worded(configured.findForClient(channel));

const ruleOf = (channel: string): ChannelRule => configured.find(channel) as ChannelRule;

describe('the namespace of a channel', () => {
  it.each([
    ['news', 'namespace '],
    ['chat:room', 'namespace chat'],
    ['chat:room:1', 'namespace chat'],
    ['chat:', 'namespace chat'],
    ['$chat:room', 'namespace chat'],
    ['$news', 'namespace '],
    [':abc', 'namespace '],
    ['$:abc', 'namespace '],
    ['nope:x', 'unknownNamespace'],
    ['$nope:x', 'unknownNamespace'],
    ['__proto__:x', 'unknownNamespace'],
    ['~user:42', 'unknownNamespace'],
    ['~user', 'badName'],
  ])('of %s is: %s', (channel, expected) => {
    expect(found(channel)).toBe(expected);
  });

  it('is found with other separators', () => {
    const other = rules({ namespaces: [{ name: 'a' }], namespaceBoundary: '::', privatePrefix: 'private-' });
    expect(other.find('private-a::b')).toMatchObject({ namespace: 'a' });
    expect(other.isPrivate('$a')).toBe(false);
  });
});

describe('a name', () => {
  it('may have 255 bytes', () => {
    expect(found('x'.repeat(255))).toBe('namespace ');
    expect(found('x'.repeat(256))).toBe('tooLong');
    expect(found(`regex:${'é'.repeat(124)}`)).toBe('namespace regex');
    expect(found(`regex:${'é'.repeat(125)}`)).toBe('tooLong');
  });

  it('has to be ASCII, or to match the regular expression after the namespace', () => {
    expect(found('chat:é')).toBe('badName');
    expect(found('regex:abcé')).toBe('namespace regex');
    expect(found('$regex:abc')).toBe('namespace regex');
    expect(found('regex:ABC')).toBe('badName');
  });

  it('is not restricted like that if the server names the channel', () => {
    for (const channel of ['chat:é', 'regex:ABC'])
      expect(worded(configured.find(channel))).toBe(`namespace ${channel.split(':')[0]}`);
    expect(configured.find('~é')).toBe('badName');
    expect(configured.find('nope:é')).toBe('unknownNamespace');
    expect(configured.find('é'.repeat(128))).toBe('tooLong');
  });

  it('may list users', () => {
    expect(configured.isUserLimited('users:dialog#42,43', ruleOf('users:dialog#42,43'))).toBe(true);
    expect(configured.isUserLimited('users:dialog', ruleOf('users:dialog'))).toBe(false);
    expect(configured.isUserLimited('chat:x#42', ruleOf('chat:x#42'))).toBe(false);
    expect(configured.lists('users:dialog#42,43', '43')).toBe(true);
    expect(configured.lists('users:dialog#42,43', '4')).toBe(false);
    expect(configured.lists('a#42#43', '42')).toBe(false);
    expect(configured.lists('#42', '42')).toBe(true);
    expect(configured.lists('users:dialog#', '')).toBe(false);
  });
});

describe('a rule', () => {
  it('says whether the history is kept, and for how long its position is', () => {
    expect(ruleOf('chat:a')).toMatchObject({ keepsHistory: true, historyMetaTtlMs: 720 * 3_600_000 });
    expect(ruleOf('regex:a')).toMatchObject({ keepsHistory: false, historyMetaTtlMs: 5 });
  });
});

describe('the options', () => {
  const faults = (given: unknown): string[] =>
    channelsOptions
      .safeParse(given)
      .error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`) ?? [];

  it('supports RE2 syntax, and matches in linear time', () => {
    const strict = rules({
      namespaces: [
        { name: 'go', channelRegex: '(?i)^[[:alpha:]]+$' },
        // A backtracking matcher would block the process for years with the name below.
        { name: 'slow', channelRegex: '^([a-z0-9]+_?)+$' },
      ],
    });
    expect(strict.findForClient('go:ABC')).toMatchObject({ namespace: 'go' });
    expect(strict.findForClient('go:abc1')).toBe('badName');
    expect(strict.findForClient(`slow:${'a'.repeat(200)}!`)).toBe('badName');
    expect(strict.findForClient(`slow:${'a'.repeat(200)}`)).toMatchObject({ namespace: 'slow' });
  });

  it.each<[unknown, RegExp]>([
    [{ namespaces: [{ name: 'a' }, { name: 'a' }] }, /namespaces must have different names/],
    [{ namespaces: [{ name: 'a:b' }] }, /namespaces.0.name/],
    [{ withoutNamespace: { historySize: 5 } }, /historyTtlMs needs historySize/],
    [{ namespaces: [{ name: 'a', forceRecovery: true }] }, /namespaces.0.forceRecovery needs historySize/],
    [{ withoutNamespace: { channelRegex: '(' } }, /channelRegex is not a regular expression/],
    [{ withoutNamespace: { presense: true } }, /presense/],
  ])('rejects %j', (given, fault) => {
    expect(faults(given)).toEqual([expect.stringMatching(fault)]);
  });
});
