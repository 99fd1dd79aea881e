import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SignJWT, type JWTPayload } from 'jose';

const TOKEN_SECRET = 'a secret that the application shares with the server';
const API_KEY = 'a key of the application';

const open = {
  allow_subscribe_for_client: true,
  allow_publish_for_subscriber: true,
  allow_presence_for_subscriber: true,
  allow_history_for_subscriber: true,
};
const remembering = { history_size: 100, history_ttl: '300s', force_recovery: true };

/** A configuration of Centrifugo's, as an application brings it along. */
const configuration = {
  client: {
    token: { hmac_secret_key: TOKEN_SECRET },
    // What is lost on the way from another process shows here, and clients come back for it.
    channel_position_check_delay: '1s',
  },
  http_api: { key: API_KEY },
  channel: {
    namespaces: [
      { name: 'chat', presence: true, join_leave: true, ...remembering, ...open },
      { name: 'brief', ...remembering, history_size: 2, ...open },
      { name: 'fleeting', ...open },
      // Entered with a token only.
      { name: 'members', ...remembering },
    ],
  },
};

/** Writes the configuration file, and answers its path. Without a Redis, the memory engine serves. */
export function writeConfiguration(directory: string, redisUrl?: string): string {
  const file = join(directory, 'centrifugo.json');
  const engine = redisUrl === undefined ? {} : { engine: { type: 'redis', redis: { address: redisUrl } } };
  writeFileSync(file, JSON.stringify({ ...configuration, ...engine }));
  return file;
}

/** A token as the application's backend signs it. */
export async function token(claims: JWTPayload): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(TOKEN_SECRET));
}

/** Unix time in seconds, as claims are written. */
export function inSeconds(seconds: number): number {
  return Math.floor(Date.now() / 1_000) + seconds;
}

/** Calls the HTTP API as the application's backend does; an error in the answer is thrown. */
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
  if (response.status !== 200) throw new Error(`${method} answered ${response.status}: ${text}`);
  const { result, error } = JSON.parse(text) as { result?: Result; error?: unknown };
  if (error !== undefined) throw new Error(`${method} answered ${text}`);
  return result as Result;
}
