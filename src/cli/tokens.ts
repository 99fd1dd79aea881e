import { readConfig } from '../config/config.js';
import { checkToken, generateToken } from '../gateway/index.js';
import { takeFlags, takePositional } from './arguments.js';
import { CommandError } from './cli.errors.js';

const WEEK_SECONDS = 7 * 86_400;

/** `carillon gentoken -u USER [-c CHANNEL] [-t SECONDS]`: prints a token that the server accepts with this configuration. */
export function gentoken(argv: readonly string[]): void {
  const { flags, rest } = takeFlags(argv, {
    user: ['-u', '--user'],
    channel: ['-c', '--channel'],
    ttl: ['-t', '--ttl'],
  });
  const { user = '', channel } = flags;
  const ttlSeconds = readTtl(flags.ttl);
  const { tokens } = readConfig(rest).config.gateway.client;
  const token = generateToken(tokens, { user, channel, ttlSeconds });
  if (token === undefined)
    throw new CommandError(
      'no secret to sign tokens with is configured: set CARILLON_GATEWAY_CLIENT_TOKENS_CONNECTION_HMAC_SECRET_KEY (or ' +
        'CENTRIFUGO_CLIENT_TOKEN_HMAC_SECRET_KEY), or name a configuration file with --config (genconfig writes one)',
    );
  process.stdout.write(`${token}\n`);
}

/** `carillon checktoken TOKEN`: prints the claims of a token, and whether the server accepts it with this configuration. */
export async function checktoken(argv: readonly string[]): Promise<void> {
  const { positional: token, rest } = takePositional(argv);
  if (token === undefined) throw new CommandError('checktoken needs a token: carillon checktoken TOKEN');
  const { kind, claims, fault } = await checkToken(readConfig(rest).config.gateway.client.tokens, token);
  if (claims !== undefined) process.stdout.write(`${JSON.stringify(claims, undefined, 2)}\n`);
  if (fault !== undefined) throw new CommandError(`this ${kind} token is refused: ${fault}`);
  process.stdout.write(`a valid ${kind} token\n`);
}

/** Returns the lifetime of a token in seconds: a week by default, and undefined for one that does not expire. */
function readTtl(text: string | undefined): number | undefined {
  if (text === undefined) return WEEK_SECONDS;
  if (text === '-1') return undefined;
  if (!/^[1-9]\d{0,9}$/.test(text))
    throw new CommandError(
      `--ttl must be a number of seconds, or -1 for a token that does not expire; it is ${text}`,
    );
  return Number(text);
}
