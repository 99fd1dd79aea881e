import { z } from 'zod';

const FORM = 'redis://[user:password@]host[:port][/database], or rediss:// for TLS';

/**
 * The URL of a Redis server. What it contains is used as it is written: a part that would be ignored is refused,
 * because the process would then use another database than its operator meant.
 */
export const redisUrl = z
  .string()
  .superRefine((text, context) => {
    const fault = faultIn(text);
    if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
  })
  .describe(
    'URL of Redis: redis:// or rediss:// (TLS), with user, password and database number, for example ' +
      '`redis://user:password@host:6379/3`. With `sentinels` or `clusterNodes`, its host and port are ignored. ' +
      'Special characters of the user and the password are percent-encoded (`%` is `%25`).',
  )
  .meta({ secret: true });

/** Returns the number of the database that the URL names: 0 if it names none, or is no URL. */
export function databaseOf(url: string): number {
  return Number(URL.parse(url)?.pathname.slice(1) ?? 0);
}

/** Returns what is wrong, without the URL, which may contain a password. */
function faultIn(text: string): string | undefined {
  if (!/^rediss?:\/\//.test(text) || !URL.canParse(text)) return `expected ${FORM}`;
  const url = new URL(text);
  if (url.hostname === '') return `the host is missing: expected ${FORM}`;
  if (url.search !== '' || url.hash !== '') {
    return 'the part after ? or # is not supported: write the database as a path, redis://host:6379/3';
  }
  if (!/^\/?$|^\/\d{1,9}$/.test(url.pathname)) {
    return 'the path must be the number of a database and nothing more: redis://host:6379/3';
  }
  if (![url.username, url.password].every(isDecodable)) {
    return 'the user or the password contains a % that is not part of an escape: write % as %25';
  }
  return undefined;
}

function isDecodable(part: string): boolean {
  try {
    decodeURIComponent(part);
    return true;
  } catch {
    return false;
  }
}
