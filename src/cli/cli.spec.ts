import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { takeFlags } from './arguments.js';
import { commandFor } from './commands.js';
import { usage } from './usage.js';

const SECRET = ['--gateway.client.tokens.connection.hmacSecretKey', 'a-secret'];

describe('The command line', () => {
  let directory: string;
  let printed: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'cli-'));
    printed = '';
    jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
      printed += String(text);
      return true;
    });
  });
  afterEach(() => {
    jest.restoreAllMocks();
    rmSync(directory, { recursive: true });
  });

  const run = async (...argv: string[]): Promise<string> => {
    printed = '';
    await commandFor(argv)?.();
    return printed;
  };
  const claimsOf = (token: string): unknown =>
    JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

  it('starts the server without a command', () => {
    expect(commandFor([])).toBeUndefined();
    expect(commandFor(['--port', '1'])).toBeUndefined();
  });

  it('prints its usage', async () => {
    expect(await run('--help')).toBe(usage);
    expect(await run('gentoken', '--help')).toBe(usage);
  });

  it('generates tokens that it accepts', async () => {
    const token = await run('gentoken', '-u', '42', ...SECRET);
    expect(claimsOf(token)).toMatchObject({ sub: '42', exp: expect.any(Number) });
    const report = await run('checktoken', token.trim(), ...SECRET);
    expect(report).toContain('"sub": "42"');
    expect(report).toContain('a valid connection token');
    expect(await run('checktoken', ...SECRET, token.trim())).toBe(report);

    const subscription = await run('gentoken', '--user=42', '-c', 'news', '-t', '-1', ...SECRET);
    expect(claimsOf(subscription)).toEqual({ sub: '42', channel: 'news', iat: expect.any(Number) });
    expect(await run('checktoken', subscription.trim(), ...SECRET)).toContain('a valid subscription token');
  });

  it('prints the claims of a token that it refuses, and the reason', async () => {
    const token = await run('gentoken', '-u', '42', ...SECRET);
    const other = ['--gateway.client.tokens.connection.hmacSecretKey', 'another'];
    await expect(run('checktoken', token.trim(), ...other)).rejects.toThrow(
      'this connection token is refused: invalid',
    );
    expect(printed).toContain('"sub": "42"');
  });

  it.each([
    [['gentoken', '-u'], '-u needs a value'],
    [['gentoken', '-u', '1'], 'no secret to sign tokens with is configured'],
    [['gentoken', '-u', '1'], 'CENTRIFUGO_CLIENT_TOKEN_HMAC_SECRET_KEY'],
    [['gentoken', '-t', 'soon', ...SECRET], '--ttl must be'],
    [['checktoken', ...SECRET], 'checktoken needs a token'],
    [['gentokn', '-u', '1'], 'unknown command gentokn: did you mean gentoken?'],
    [['serve'], 'unknown command serve. The commands are gentoken, checktoken, genconfig, checkconfig'],
  ])('refuses %j', async (argv, words) => {
    await expect(run(...argv)).rejects.toThrow(words);
  });

  it('writes a valid configuration that only its owner can read, and does not overwrite it', async () => {
    const file = join(directory, 'carillon.json');
    await run('genconfig', file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await run('checkconfig', '--config', file)).toContain('the configuration is valid\n');
    expect(claimsOf(await run('gentoken', '-u', '1', '--config', file))).toMatchObject({ sub: '1' });
    const before = readFileSync(file, 'utf8');
    await expect(run('genconfig', file)).rejects.toThrow('already exists');
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  it.each([
    [{ namespaces: [{ name: 'a', history: 5 }] }, 'did you mean historySize?'],
    [{ withoutNamespace: { allowSubscribe: true } }, 'did you mean allowSubscribeForClient?'],
    [{ namespaces: [{ name: 'a', presense: true }] }, 'did you mean presence?'],
  ])('refuses unknown keys in a namespace: %j', async (channels, guess) => {
    const file = join(directory, 'c.json');
    writeFileSync(file, JSON.stringify({ delivery: { channels } }));
    await expect(run('check', '--config', file)).rejects.toThrow(guess);
  });

  it('reports the same about a configuration as a start', async () => {
    for (const command of ['checkconfig', 'check']) {
      const report = run(command, '--config', 'test/golden/config-proxy.json');
      await expect(report).rejects.toThrow('what the errors above name does not work');
      expect(printed).toContain('error: http_stream is not supported');
      expect(printed).not.toContain('is valid');
    }
    await expect(run('checkconfig', '--server.port', 'many')).rejects.toThrow('server.port');
    await expect(run('checkconfig', '--server.trustedProxies', '10.0.0.0/8,proxy.local')).rejects.toThrow(
      'server.trustedProxies.1: must be an address',
    );
    await expect(run('checkconfig', '--trigger.apiKeys', 'Schl\u00fcssel')).rejects.toThrow(
      'trigger.apiKeys.0: must consist of visible ASCII characters',
    );
  });
});

describe('takeFlags', () => {
  it('returns the arguments that are not its own', () => {
    const { flags, rest } = takeFlags(['-u', '1', '--config', 'f', 'x', '--name=a=b'], {
      user: ['-u'],
      name: ['--name'],
    });
    expect(flags).toEqual({ user: '1', name: 'a=b' });
    expect(rest).toEqual(['--config', 'f', 'x']);
  });
});
