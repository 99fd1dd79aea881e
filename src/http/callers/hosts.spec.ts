import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { Hosts } from './hosts.js';

function codeFor(hosts: Hosts, ...values: string[]): string | undefined {
  const rawHeaders = ['Accept', '*/*', ...values.flatMap((value) => ['hOsT', value])];
  const headers = values[0] === undefined ? {} : { host: values[0] };
  return hosts.faultOf({ rawHeaders, headers } as IncomingMessage)?.code;
}

describe('Hosts', () => {
  it.each([
    'localhost',
    'LocalHost:3000',
    'app.localhost',
    'localhost.',
    '127.0.0.1:1',
    '[::1]:3000',
    '10.0.0.5',
  ])('on a loopback address, allows %s', (host) => {
    expect(codeFor(new Hosts([], '127.0.0.1'), host)).toBeUndefined();
  });

  it.each([
    'evil.example',
    '127.0.0.1.evil.example',
    'notlocalhost',
    '1.evil:80',
    '[::1].evil',
    'a@localhost',
    '',
  ])('on a loopback address, refuses %j', (host) => {
    for (const address of ['127.0.0.1', '::1', 'localhost'])
      expect(codeFor(new Hosts([], address), host)).toBe('host_not_allowed');
  });

  it('allows names that are listed, and then refuses others on every address', () => {
    const hosts = new Hosts(['Push.Example.com', '*.example.org'], '0.0.0.0');
    expect(codeFor(hosts, 'push.example.com:443')).toBeUndefined();
    expect(codeFor(hosts, 'a.b.example.org')).toBeUndefined();
    expect(codeFor(hosts, 'example.org')).toBe('host_not_allowed');
    expect(codeFor(hosts, 'push.example.com.evil.example')).toBe('host_not_allowed');
  });

  it('allows all names on other addresses, and with *', () => {
    expect(codeFor(new Hosts([], '0.0.0.0'), 'push.example.com')).toBeUndefined();
    expect(codeFor(new Hosts(['*'], '127.0.0.1'), 'push.example.com')).toBeUndefined();
  });

  it('refuses two Host headers, also if they are equal', () => {
    expect(codeFor(new Hosts(['*'], undefined), 'localhost', 'localhost')).toBe('malformed_request');
    expect(codeFor(new Hosts([], '127.0.0.1'))).toBeUndefined();
  });
});
