import type { WebhookResponse } from '../../../../webhooks/index.js';
import { isObject } from '../answers.js';
import type { Answer } from '../backend.js';
import { BackendFailedError } from '../functions.errors.js';

/** The answer of an integration. */
export interface IntegrationAnswer {
  readonly status: number;
  /** Names are in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Answer | undefined;
}

/**
 * Reads the answer `{statusCode, headers, body, isBase64Encoded}`. A body that is anything else is an answer by itself, with the
 * status and headers of the response.
 */
export function readAnswer({ status, headers, body }: WebhookResponse): IntegrationAnswer {
  const answer = status < 300 ? proxyAnswer(body) : undefined;
  if (answer !== undefined) return answer;
  const isText = headers['content-type'] !== 'application/octet-stream';
  const own = Object.entries(headers).map(([name, value]) => [name, [value ?? ''].flat().join(',')]);
  return {
    status,
    headers: Object.fromEntries(own) as Record<string, string>,
    body: body.length === 0 ? undefined : { data: Buffer.copyBytesFrom(body), isText },
  };
}

function proxyAnswer(bytes: Buffer): IntegrationAnswer | undefined {
  const value = parsed(bytes);
  if (!isObject(value)) return undefined;
  const { statusCode, headers, body, isBase64Encoded } = value;
  const status = typeof statusCode === 'string' ? Number(statusCode) : statusCode;
  if (typeof status !== 'number' || !Number.isInteger(status)) return undefined;
  const named = Object.entries(isObject(headers) ? headers : {}).map(([name, each]) => [
    name.toLowerCase(),
    String(each),
  ]);
  return {
    status,
    headers: Object.fromEntries(named) as Record<string, string>,
    body: bodyOf(body, isBase64Encoded === true),
  };
}

function bodyOf(body: unknown, isBase64: boolean): Answer | undefined {
  if (body === undefined || body === null || body === '') return undefined;
  if (typeof body !== 'string') throw new BackendFailedError('the body of the answer is not a string');
  return { data: Buffer.from(body, isBase64 ? 'base64' : 'utf8'), isText: !isBase64 };
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}
