import { isUtf8 } from 'node:buffer';
import { isJson, JsonScanner, MalformedJsonError } from '../../../json/index.js';
import { jsonObject, readMessage, type Schema } from '../../../schema/index.js';
import type { WebhookTarget } from '../../../webhooks/index.js';
import type { ClientContext, Step } from '../attempts.js';
import type { ProxyBackend } from './proxy-backend.js';
import { ProxyHeaders } from './proxy-headers.js';
import { proxyRequestSchemas, type ProxyRequests } from './proxy-requests.js';
import { proxyResponseSchemas, type ProxyResponse } from './proxy-responses.js';
import type { ProxyOptions } from './proxies.options.js';
import { ProxyRequestError, ProxyResponseError } from './proxy.errors.js';

/** All responses share one scanner, because reading never yields. */
const scanner = new JsonScanner();

const badRequest = { code: 107, message: 'bad request', temporary: false };

/** Asks a backend over HTTP, with JSON in both directions. */
export class HttpBackend implements ProxyBackend {
  readonly #headers: ProxyHeaders;
  readonly #byStatus: ReadonlyMap<number, ProxyOptions['statusToCodeTransforms'][number]>;

  constructor(
    private readonly target: WebhookTarget,
    options: ProxyOptions,
  ) {
    this.#headers = new ProxyHeaders(options);
    this.#byStatus = new Map(
      options.statusToCodeTransforms.toReversed().map((transform) => [transform.statusCode, transform]),
    );
  }

  async call<S extends Step>(
    step: S,
    request: ProxyRequests[S],
    client: ClientContext,
  ): Promise<ProxyResponse<S>> {
    const { data, meta } = request as { readonly data?: Buffer; readonly meta?: Buffer };
    // Otherwise the data of a client could end its own member, and add others.
    if (client.encoding !== 'json' && data !== undefined && !isJson(data))
      return { result: undefined, error: badRequest, disconnect: undefined };
    if (meta !== undefined && !isJson(meta))
      throw new ProxyRequestError('the meta of the connection is not JSON');
    const body = Buffer.from(jsonObject(proxyRequestSchemas[step], request));
    const response = await this.target.post(body, this.#headers.of(client));
    return response.status === 200
      ? read(proxyResponseSchemas[step], response.body)
      : this.#transformed(response.status);
  }

  #transformed<S extends Step>(status: number): ProxyResponse<S> {
    const transform = this.#byStatus.get(status);
    if (transform === undefined)
      throw new ProxyResponseError(`the response has status ${status}, and not 200`);
    const { toError: error, toDisconnect: disconnect } = transform;
    return { result: undefined, error, disconnect };
  }
}

function read<T extends object>(schema: Schema<T>, body: Buffer): T {
  try {
    if (!isUtf8(body)) throw new ProxyResponseError('the response is not UTF-8');
    scanner.start(body);
    const response = readMessage(scanner, schema);
    scanner.finish();
    return response;
  } catch (cause) {
    if (!(cause instanceof MalformedJsonError)) throw cause;
    throw new ProxyResponseError(`the response is not what a proxy expects: ${cause.message}`, { cause });
  }
}
