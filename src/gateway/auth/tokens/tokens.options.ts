import { createPublicKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { groupNames, isRegex } from '../../../patterns/index.js';
import { faultOfEndpoint, hostPlaceholdersOf, isListOfValues, placeholdersOf } from './endpoint-template.js';

const DAY_MS = 24 * 60 * 60 * 1000;

function publicKey(type: KeyObject['asymmetricKeyType'], algorithms: string) {
  return z
    .string()
    .superRefine((pem, context) => {
      const fault = faultOfKey(pem, type);
      if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
    })
    .optional()
    .describe(`Public key (PEM) for tokens signed with ${algorithms}.`);
}

function faultOfKey(pem: string, type: KeyObject['asymmetricKeyType']): string | undefined {
  if (pem.includes('PRIVATE KEY')) return 'is a private key, but the public key is needed';
  try {
    const found = createPublicKey(pem).asymmetricKeyType;
    return found === type ? undefined : `is a key of type ${found}, not ${type}`;
  } catch {
    return 'is not a public key in PEM';
  }
}

function regex(what: string) {
  return z
    .string()
    .refine(isRegex, 'is not a regular expression')
    .optional()
    .describe(`Regular expression (RE2 syntax) that ${what}. Anchor it with ^ and $.`);
}

const ms = z.number().int().min(0);

const jwks = z.strictObject({
  endpoint: z
    .string()
    .superRefine((endpoint, context) => {
      const fault = faultOfEndpoint(endpoint);
      if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
    })
    .meta({ secret: true })
    .describe(
      'URL of the key set. Redirects are not followed. A user and password in it are sent as Basic authentication, and never logged. `{{name}}` in its host, path or query stands for the group `(?P<name>…)` of `issuerRegex` or `audienceRegex`, so that each issuer has its own keys. In the host, the group has to be a list of values, such as `(?P<tenant>one|two)`.',
    ),
  timeoutMs: ms.default(3_000).describe('How long a fetch may take, in ms.'),
  cacheMs: ms.default(600_000).describe('How long a key set is used before it is fetched again, in ms.'),
  cooldownMs: ms
    .default(30_000)
    .describe('Minimum time between two fetches, in ms, even if tokens name unknown keys.'),
  maxStaleMs: ms
    .default(DAY_MS)
    .describe('How long an old key set is used while the endpoint is down, in ms.'),
  maxBytes: z.number().int().min(1).default(262_144).describe('Maximum size of the key set, in bytes.'),
  maxKeySets: z
    .number()
    .int()
    .min(1)
    .default(100)
    .describe('Maximum number of key sets that are kept, if the URL has placeholders.'),
  firstFetchesPerSecond: z
    .number()
    .positive()
    .default(10)
    .describe(
      'How many key sets that are not known yet may be fetched per second, if the URL has placeholders. A token that exceeds this may be retried.',
    ),
});

/** Which tokens are accepted. Without a key, none is. */
export const tokenOptions = z
  .strictObject({
    hmacSecretKey: z
      .string()
      .min(1)
      .optional()
      .meta({ secret: true })
      .describe('Secret for tokens signed with HS256, HS384 or HS512.'),
    hmacPreviousSecretKey: z
      .string()
      .min(1)
      .optional()
      .meta({ secret: true })
      .describe('Previous secret, which is accepted too while tokens signed with it are in use.'),
    hmacPreviousSecretKeyValidUntil: z
      .number()
      .int()
      .min(0)
      .optional()
      .describe('Unix time in seconds at which the previous secret stops being accepted.'),
    rsaPublicKey: publicKey('rsa', 'RS256, RS384 or RS512'),
    ecdsaPublicKey: publicKey('ec', 'ES256, ES384 or ES512'),
    ed25519PublicKey: publicKey('ed25519', 'EdDSA'),
    jwks: jwks.optional().describe('Public keys from a JWKS endpoint. If set, no other key is accepted.'),
    audience: z
      .string()
      .min(1)
      .optional()
      .describe('Required value of the `aud` claim, which may be a list that contains it.'),
    audienceRegex: regex('one of the `aud` values must match'),
    issuer: z.string().min(1).optional().describe('Required value of the `iss` claim.'),
    issuerRegex: regex('the `iss` claim must match'),
    userIdClaim: z.string().min(1).default('sub').describe('Name of the claim with the user id.'),
  })
  .superRefine((options, context) => {
    for (const name of ['audience', 'issuer'] as const) {
      if (options[name] === undefined || options[`${name}Regex`] === undefined) continue;
      context.addIssue({
        code: 'custom',
        path: [`${name}Regex`],
        message: `cannot be combined with ${name}: set only one of them`,
      });
    }
    for (const message of faultsOfPlaceholders(options))
      context.addIssue({ code: 'custom', path: ['jwks', 'endpoint'], message });
    if (options.hmacPreviousSecretKey !== undefined && options.hmacSecretKey === undefined) {
      context.addIssue({ code: 'custom', path: ['hmacPreviousSecretKey'], message: 'needs hmacSecretKey' });
    }
  });

interface Placeholders {
  readonly jwks?: { readonly endpoint: string } | undefined;
  readonly issuerRegex?: string | undefined;
  readonly audienceRegex?: string | undefined;
}

/** Every placeholder of the endpoint is a group of exactly one of the expressions. */
function faultsOfPlaceholders(options: Placeholders): string[] {
  const { issuerRegex, audienceRegex } = options;
  const endpoint = options.jwks?.endpoint ?? '';
  const regexes = [issuerRegex, audienceRegex].filter(
    (each) => each !== undefined && isRegex(each),
  ) as string[];
  const inHost = hostPlaceholdersOf(endpoint);
  return [...new Set(placeholdersOf(endpoint))].flatMap((name) => {
    const having = regexes.filter((each) => groupNames(each).includes(name));
    if (having.length === 0)
      return `has the placeholder {{${name}}}, but issuerRegex and audienceRegex have no group (?P<${name}>…)`;
    if (having.length > 1)
      return `has the placeholder {{${name}}}, which is a group of issuerRegex and of audienceRegex: rename one`;
    return inHost.includes(name) && !isListOfValues(having[0]!, name)
      ? `has the placeholder {{${name}}} in its host, so its group has to be a list of values, such as (?P<${name}>one|two)`
      : [];
  });
}

export type TokenOptions = z.infer<typeof tokenOptions>;
export type JwksOptions = z.infer<typeof jwks>;

export const tokensOptions = z.strictObject({
  connection: tokenOptions.prefault({}).describe('Tokens for connecting.'),
  subscription: tokenOptions
    .optional()
    .describe('Tokens for subscribing, if they have other keys than connection tokens.'),
});

export type TokensOptions = z.infer<typeof tokensOptions>;
