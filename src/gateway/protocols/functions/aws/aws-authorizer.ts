import type { WebhookTarget } from '../../../../webhooks/index.js';
import { TokenVerifier } from '../../../auth/tokens/token-verifier.js';
import { isObject, objectIn } from '../answers.js';
import type { Arrival, Authorization } from '../backend.js';
import { BackendFailedError } from '../functions.errors.js';
import { handshakeFields, requestContext } from './aws-events.js';
import type { AwsRouteOptions } from './aws.options.js';

/** The context is stored with each connection, and sent with each event. */
const MAX_CONTEXT_BYTES = 16_384;
const HEADERS = { 'content-type': 'application/json' };
const unauthorized: Authorization = { outcome: 'refused', status: 401, message: 'Unauthorized' };
const forbidden: Authorization = { outcome: 'refused', status: 403, message: 'Forbidden' };

/** Decides who may connect: asks a URL, as AWS asks a `REQUEST` authorizer, or verifies a JWT. */
export class AwsAuthorizer {
  readonly #verifier: TokenVerifier | undefined;

  /** @param target undefined: the tokens of the options are verified */
  constructor(
    private readonly target: WebhookTarget | undefined,
    private readonly options: AwsRouteOptions,
  ) {
    const { tokens } = options.authorizer ?? {};
    this.#verifier = tokens && new TokenVerifier(tokens);
  }

  /** @throws BackendFailedError, WebhookError */
  async authorize(arrival: Arrival): Promise<Authorization> {
    const identity = this.#identityOf(arrival);
    if (identity === '') return unauthorized;
    if (this.target !== undefined) return this.#ask(this.target, arrival);
    const token = identity.replace(/^Bearer +/i, '');
    const outcome = await this.#verifier!.verifyConnection(token);
    if (outcome.ok) {
      const [, payload = ''] = token.split('.');
      const claims = objectIn(Buffer.from(payload, 'base64url'));
      return allowed({ principalId: outcome.value.user, claims });
    }
    if (outcome.reason === 'unavailable') throw new BackendFailedError(outcome.detail);
    return unauthorized;
  }

  async #ask(target: WebhookTarget, arrival: Arrival): Promise<Authorization> {
    const { options } = this;
    const { apiId, stage } = options;
    const event = {
      type: 'REQUEST',
      methodArn: `arn:aws:execute-api:local:000000000000:${apiId}/${stage}/$connect`,
      ...handshakeFields(arrival, options),
      requestContext: requestContext('$connect', 'CONNECT', arrival.id, {
        context: arrival.context,
        options,
      }),
    };
    const { status, body } = await target.post(Buffer.from(JSON.stringify(event)), HEADERS);
    if (status === 401) return unauthorized;
    if (status === 403) return forbidden;
    if (status < 200 || status > 299)
      throw new BackendFailedError(`${target.name} answered with status ${status}`);
    return readDecision(objectIn(body));
  }

  #identityOf({ headers, query }: Arrival): string {
    const [, , kind, name = ''] = this.options.authorizer!.identitySource.split('.');
    if (kind === 'querystring') return query.get(name) ?? '';
    const key = name.toLowerCase();
    return Object.hasOwn(headers, key) ? [headers[key] ?? ''].flat().join(',') : '';
  }
}

/** An IAM policy, or `{isAuthorized}`. */
function readDecision({
  isAuthorized,
  policyDocument,
  principalId,
  context,
}: Readonly<Record<string, unknown>>): Authorization {
  const isAllowed = typeof isAuthorized === 'boolean' ? isAuthorized : allows(policyDocument);
  if (!isAllowed) return forbidden;
  const named = typeof principalId === 'string' ? { principalId } : {};
  return allowed({ ...named, ...(isObject(context) ? context : {}) });
}

/** The statements are taken to be about this connect. Without one, it is denied. */
function allows(policy: unknown): boolean {
  const statement = isObject(policy) ? policy['Statement'] : undefined;
  const effects = [statement].flat().map((each) => (isObject(each) ? each['Effect'] : undefined));
  return effects.includes('Allow') && effects.every((effect) => effect === 'Allow');
}

function allowed(context: Readonly<Record<string, unknown>>): Authorization {
  if (JSON.stringify(context).length > MAX_CONTEXT_BYTES)
    throw new BackendFailedError(`the context of the authorizer has more than ${MAX_CONTEXT_BYTES} bytes`);
  return { outcome: 'allowed', context };
}
