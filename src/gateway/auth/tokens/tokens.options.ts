import { createPublicKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { isRegex } from '../../../patterns/index.js';

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
    .url({ protocol: /^https?$/ })
    // Other servers replace placeholders by parts of the token.
    .refine((endpoint) => !endpoint.includes('{{'), 'has a placeholder, but only one fixed URL is supported')
    .meta({ secret: true })
    .describe(
      'URL of the key set. Redirects are not followed. A user and password in it are sent as Basic authentication, and never logged.',
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
    if (options.hmacPreviousSecretKey !== undefined && options.hmacSecretKey === undefined) {
      context.addIssue({ code: 'custom', path: ['hmacPreviousSecretKey'], message: 'needs hmacSecretKey' });
    }
  });

export type TokenOptions = z.infer<typeof tokenOptions>;
export type JwksOptions = z.infer<typeof jwks>;

export const tokensOptions = z.strictObject({
  connection: tokenOptions.prefault({}).describe('Tokens for connecting.'),
  subscription: tokenOptions
    .optional()
    .describe('Tokens for subscribing, if they have other keys than connection tokens.'),
});

export type TokensOptions = z.infer<typeof tokensOptions>;
