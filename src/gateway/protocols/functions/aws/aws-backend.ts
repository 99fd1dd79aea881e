import { Semaphore } from '../../../../async/index.js';
import type { WebhookTarget } from '../../../../webhooks/index.js';
import type {
  Answer,
  Arrival,
  Authorization,
  ConnectionContext,
  Registration,
  RouteBackend,
} from '../backend.js';
import { AnsweredError, BackendFailedError } from '../functions.errors.js';
import { readAnswer, type IntegrationAnswer } from './aws-answers.js';
import type { AwsAuthorizer } from './aws-authorizer.js';
import { handshakeFields, requestContext } from './aws-events.js';
import type { AwsRouteOptions } from './aws.options.js';
import { RouteSelection } from './route-selection.js';

const HEADERS = { 'content-type': 'application/json' };
/** Statuses of `$connect` that a client gets. */
const KEPT = new Set([401, 403]);
const FAILED = 500;

/** Functions that were written for AWS WebSocket APIs: one URL for each route key. */
export class AwsBackend implements RouteBackend {
  readonly #selection: RouteSelection;
  readonly #slots: ReadonlyMap<string, Semaphore>;

  /** @param integrations by route key */
  constructor(
    private readonly integrations: ReadonlyMap<string, WebhookTarget>,
    private readonly authorizer: AwsAuthorizer | undefined,
    private readonly options: AwsRouteOptions,
  ) {
    this.#selection = new RouteSelection(options.routeSelectionExpression);
    this.#slots = new Map(
      [...integrations.keys()].map((key) => [key, new Semaphore(options.maxConcurrentCalls)]),
    );
  }

  async authorize(arrival: Arrival): Promise<Authorization> {
    return this.authorizer === undefined ? { outcome: 'allowed' } : this.authorizer.authorize(arrival);
  }

  async register(arrival: Arrival): Promise<Registration> {
    const { id, subprotocols } = arrival;
    const target = this.integrations.get('$connect');
    if (target === undefined) return { outcome: 'registered', subprotocol: undefined };
    const { options } = this;
    const context = requestContext('$connect', 'CONNECT', id, { context: arrival.context, options });
    const event = { ...handshakeFields(arrival, options), requestContext: context, isBase64Encoded: false };
    const { status, headers } = await call(target, event);
    if (status < 200 || status > 299) {
      const message = 'the backend refused the connection';
      return { outcome: 'refused', status: KEPT.has(status) ? status : FAILED, message };
    }
    const subprotocol = headers['sec-websocket-protocol'];
    if (subprotocol !== undefined && !subprotocols.includes(subprotocol))
      throw new BackendFailedError('the answer chooses a subprotocol that the client did not offer');
    return { outcome: 'registered', subprotocol };
  }

  async transport(
    id: string,
    context: ConnectionContext,
    data: Buffer,
    isText: boolean,
  ): Promise<Answer | undefined> {
    const routeKey = this.#routeKeyOf(data, isText);
    const { options } = this;
    const request = requestContext(routeKey, 'MESSAGE', id, { context, options });
    const fail = (message: string, cause: string): never => {
      const text = JSON.stringify({ message, connectionId: id, requestId: request.requestId });
      throw new AnsweredError(`${routeKey}: ${cause}`, {
        data: Buffer.from(text),
        isText: true,
      });
    };
    const target = this.integrations.get(routeKey);
    if (target === undefined) return fail('Forbidden', 'there is no integration');
    const body = data.toString(isText ? 'utf8' : 'base64');
    const event = { requestContext: request, body, isBase64Encoded: !isText };
    try {
      const answer = requireSuccess(target, await this.#inTurn(routeKey, () => call(target, event)));
      return this.#responds(routeKey) ? answer.body : undefined;
    } catch (error) {
      return fail('Internal server error', String(error));
    }
  }

  async cleanUp(id: string, context: ConnectionContext): Promise<void> {
    const target = this.integrations.get('$disconnect');
    if (target === undefined) return;
    const request = requestContext('$disconnect', 'DISCONNECT', id, { context, options: this.options });
    const event = { requestContext: request, isBase64Encoded: false };
    requireSuccess(target, await this.#inTurn('$disconnect', () => call(target, event)));
  }

  /** The keys that begin with `$` are never chosen by a message. */
  #routeKeyOf(data: Buffer, isText: boolean): string {
    const key = isText ? this.#selection.keyOf(data.toString()) : undefined;
    return key !== undefined && !key.startsWith('$') && this.integrations.has(key) ? key : '$default';
  }

  #responds(routeKey: string): boolean {
    const { routeResponses } = this.options;
    return routeResponses.includes(routeKey) || routeResponses.includes('*');
  }

  /** So many calls that others are not refused. A client waits for its turn. */
  #inTurn<Result>(routeKey: string, work: () => Promise<Result>): Promise<Result> {
    return this.#slots.get(routeKey)!.run(work);
  }
}

async function call(target: WebhookTarget, event: object): Promise<IntegrationAnswer> {
  return readAnswer(await target.post(Buffer.from(JSON.stringify(event)), HEADERS));
}

function requireSuccess(target: WebhookTarget, answer: IntegrationAnswer): IntegrationAnswer {
  const { status } = answer;
  if (status < 200 || status > 299)
    throw new BackendFailedError(`${target.name} answered with status ${status}`);
  return answer;
}
