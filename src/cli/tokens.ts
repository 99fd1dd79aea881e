import { readConfig } from '../config/config.js';
import { checkToken, generateToken } from '../gateway/index.js';
import { takeFlags, takeLone } from './arguments.js';
import { CommandError } from './cli.errors.js';

const WEEK_SECONDS = 7 * 86_400;

/** `carillon gentoken -u USER [-c CHANNEL] [-t SECONDS]`: prints a token that the configured server takes. */
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
      'no secret is configured to sign with: set CENTRIFUGO_CLIENT_TOKEN_HMAC_SECRET_KEY or name a file by --config',
    );
  process.stdout.write(`${token}\n`);
}

/** `carillon checktoken TOKEN`: whether the configured server takes a token, and what it says. */
export async function checktoken(argv: readonly string[]): Promise<void> {
  const { lone: token, rest } = takeLone(argv);
  if (token === undefined) throw new CommandError('checktoken needs a token');
  const { kind, claims, fault } = await checkToken(readConfig(rest).config.gateway.client.tokens, token);
  if (claims !== undefined) process.stdout.write(`${JSON.stringify(claims, undefined, 2)}\n`);
  if (fault !== undefined) throw new CommandError(`this ${kind} token is refused: ${fault}`);
  process.stdout.write(`a good ${kind} token\n`);
}

/** A token is good for a week unless told otherwise; -1: for ever. */
function readTtl(text: string | undefined): number | undefined {
  if (text === undefined) return WEEK_SECONDS;
  if (text === '-1') return undefined;
  if (!/^[1-9]\d{0,9}$/.test(text))
    throw new CommandError('--ttl must be a number of seconds, or -1 for a token without end');
  return Number(text);
}
