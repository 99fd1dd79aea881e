import { applyDecorators, Header, HttpCode, Post } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { proxyRequestSchemas, type Step } from '../gateway/index.js';
import { apiKeyAuth, errorResponses } from '../http/index.js';
import { jsonSchemaOf } from '../schema/index.js';
import { callbackErrors } from './callback-answers.js';

const steps = {
  connect: 'connect',
  refresh: 'refresh',
  subscribe: 'subscribe',
  sub_refresh: 'subRefresh',
  publish: 'publish',
  rpc: 'rpc',
} as const satisfies Record<string, Step>;

const errors = Object.values(callbackErrors).map(({ code, message }) => `${code} ${message}`);

const answer = {
  type: 'object',
  properties: {
    result: { type: 'object' },
    error: {
      type: 'object',
      properties: { code: { type: 'integer' }, message: { type: 'string' }, temporary: { type: 'boolean' } },
    },
    disconnect: { type: 'object', properties: { code: { type: 'integer' }, reason: { type: 'string' } } },
  },
};

/** The route of a callback and its description. */
export const Callback = (path: keyof typeof steps, when: string) =>
  applyDecorators(
    Post(path),
    HttpCode(200),
    Header('Content-Type', 'application/json; charset=utf-8'),
    ApiTags("Centrifugo's callbacks"),
    ApiOperation({ summary: `${when} Centrifugo asks its proxy, which is this server.` }),
    ...apiKeyAuth(),
    ApiBody({ schema: jsonSchemaOf(proxyRequestSchemas[steps[path]]) }),
    ApiResponse({
      status: 200,
      description: `The decision. Its errors: ${errors.join(', ')}.`,
      schema: answer,
    }),
    ...errorResponses({ broker_unavailable: 503 }, [
      'empty_body',
      'invalid_json',
      'invalid_utf8',
      'json_too_deep',
      'body_too_large',
      'unsupported_media_type',
      'unauthorized',
      'api_key_not_configured',
      'rate_limited',
      'broker_unavailable',
    ]),
  );
