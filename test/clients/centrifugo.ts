import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SignJWT, type JWTPayload } from 'jose';

const TOKEN_SECRET = 'a secret that the application shares with the server';
const API_KEY = 'a key of the application';

const allowAll = {
  allow_subscribe_for_client: true,
  allow_publish_for_subscriber: true,
  allow_presence_for_subscriber: true,
  allow_history_for_subscriber: true,
};
const withHistory = { history_size: 100, history_ttl: '300s', force_recovery: true };

/** A Centrifugo configuration, as an existing application has it. */
const configuration = {
  client: {
    token: { hmac_secret_key: TOKEN_SECRET },
    // A lost publication is detected by this check, and clients then recover it.
    channel_position_check_delay: '1s',
  },
  http_api: { key: API_KEY },
  channel: {
    namespaces: [
      { name: 'chat', presence: true, join_leave: true, ...withHistory, ...allowAll },
      { name: 'brief', ...withHistory, history_size: 2, ...allowAll },
      { name: 'fleeting', ...allowAll },
      // Clients need a subscription token.
      { name: 'members', ...withHistory },
    ],
  },
};

/** Writes the configuration file and returns its path. Without `redisUrl`, it uses the memory engine. */
export function writeConfiguration(directory: string, redisUrl?: string): string {
  const file = join(directory, 'centrifugo.json');
  const engine = redisUrl === undefined ? {} : { engine: { type: 'redis', redis: { address: redisUrl } } };
  writeFileSync(file, JSON.stringify({ ...configuration, ...engine }));
  return file;
}

/** Signs a token as the application's backend does. */
export async function token(claims: JWTPayload): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(TOKEN_SECRET));
}

/** Returns the Unix time in so many seconds from now, in seconds, for use in claims. */
export function inSeconds(seconds: number): number {
  return Math.floor(Date.now() / 1_000) + seconds;
}

/** Calls the server API as the application's backend does. Throws if the response has an error. */
export async function callApi<Result = unknown>(
  serverUrl: string,
  method: string,
  request: object,
): Promise<Result> {
  const response = await fetch(`${serverUrl}/api/${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': API_KEY },
    body: JSON.stringify(request),
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${method} returned ${response.status}: ${text}`);
  const { result, error } = JSON.parse(text) as { result?: Result; error?: unknown };
  if (error !== undefined) throw new Error(`${method} returned ${text}`);
  return result as Result;
}
