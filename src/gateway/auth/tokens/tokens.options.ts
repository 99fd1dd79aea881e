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
  if (pem.includes('PRIVATE KEY')) return 'is a private key: give the public one';
  try {
    const found = createPublicKey(pem).asymmetricKeyType;
    return found === type ? undefined : `is a key of type ${found}, not ${type}`;
  } catch {
    return 'is no public key in PEM';
  }
}

function regex(what: string) {
  return z
    .string()
    .refine(isRegex, 'is no regular expression')
    .optional()
    .describe(`Regular expression (RE2 syntax) that ${what}. Anchor it with ^ and $.`);
}

const ms = z.number().int().min(0);

const jwks = z.strictObject({
  endpoint: z
    .url({ protocol: /^https?$/ })
    // Centrifugo fills them in from the issuer or the audience.
    .refine(
      (endpoint) => !endpoint.includes('{{'),
      'has a placeholder: one key set is fetched, from one place',
    )
    .describe('Where the key set is fetched from. Nothing else is, and no redirect is followed.'),
  timeoutMs: ms.default(3_000).describe('How long a fetch may take, in ms.'),
  cacheMs: ms
    .default(600_000)
    .describe('How long a fetched key set serves before it is fetched again, in ms.'),
  cooldownMs: ms
    .default(30_000)
    .describe('Shortest time from one fetch to the next, in ms, whatever key ids tokens name.'),
  maxStaleMs: ms
    .default(DAY_MS)
    .describe('How long the last key set goes on serving while the endpoint does not answer, in ms.'),
  maxBytes: z.number().int().min(1).default(262_144).describe('Largest key set that is read, in bytes.'),
});

/** Which tokens are good. Without any key none is. */
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
      .describe('Secret that is accepted as well while tokens signed with it are still about.'),
    hmacPreviousSecretKeyValidUntil: z
      .number()
      .int()
      .min(0)
      .optional()
      .describe('Unix time in seconds from which the previous secret is not accepted any more.'),
    rsaPublicKey: publicKey('rsa', 'RS256, RS384 or RS512'),
    ecdsaPublicKey: publicKey('ec', 'ES256, ES384 or ES512'),
    ed25519PublicKey: publicKey('ed25519', 'EdDSA'),
    jwks: jwks.optional().describe('Public keys from a JWKS endpoint. Then no other key is accepted.'),
    audience: z.string().min(1).optional().describe('What the `aud` claim has to be or contain.'),
    audienceRegex: regex('one of the `aud` claims has to match'),
    issuer: z.string().min(1).optional().describe('What the `iss` claim has to be.'),
    issuerRegex: regex('the `iss` claim has to match'),
    userIdClaim: z.string().min(1).default('sub').describe('The claim that holds the id of the user.'),
  })
  .superRefine((options, context) => {
    for (const name of ['audience', 'issuer'] as const) {
      if (options[name] === undefined || options[`${name}Regex`] === undefined) continue;
      context.addIssue({
        code: 'custom',
        path: [`${name}Regex`],
        message: `contradicts ${name}: set one of them`,
      });
    }
    if (options.hmacPreviousSecretKey !== undefined && options.hmacSecretKey === undefined) {
      context.addIssue({ code: 'custom', path: ['hmacPreviousSecretKey'], message: 'needs hmacSecretKey' });
    }
  });

export type TokenOptions = z.infer<typeof tokenOptions>;
export type JwksOptions = z.infer<typeof jwks>;

export const tokensOptions = z.strictObject({
  connection: tokenOptions.prefault({}).describe('Tokens that a client connects with.'),
  subscription: tokenOptions
    .optional()
    .describe(
      'Tokens that a client subscribes with, where their keys differ from those of connection tokens.',
    ),
});

export type TokensOptions = z.infer<typeof tokensOptions>;
