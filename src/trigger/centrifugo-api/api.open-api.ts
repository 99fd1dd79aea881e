import type { OpenAPIObject } from '@nestjs/swagger';
import type { ApiFault } from './api.errors.js';
import { apiFaults } from './api.errors.js';
import { jsonSchemaOf, type JsonSchema } from '../../schema/index.js';
import type { Methods } from './methods.js';
import { batchRequest } from './request-schemas.js';

type Paths = OpenAPIObject['paths'];
type Operation = NonNullable<Paths[string]['post']>;

const faults: readonly ApiFault[] = Object.values(apiFaults);

const fault: JsonSchema = {
  type: 'object',
  properties: {
    code: { type: 'integer', enum: faults.map(({ code }) => code) },
    message: { type: 'string' },
  },
};

/** Returns the paths of the server API, which Nest does not know. */
export function apiPaths(methods: Methods): Paths {
  const operations = methods.all.map(({ name, summary, schema }) => [
    `/api/${name}`,
    {
      post: operation(summary, schema, {
        type: 'object',
        properties: { result: { type: 'object' }, error: fault },
      }),
    },
  ]);
  const batch = operation(
    'Run several commands in one request. The replies have the same order.',
    jsonSchemaOf(batchRequest),
    {
      type: 'object',
      properties: { replies: { type: 'array', items: { type: 'object' } } },
    },
  );
  return { ...Object.fromEntries(operations), '/api/batch': { post: batch } } as Paths;
}

function operation(summary: string, request: JsonSchema, reply: JsonSchema): Operation {
  return {
    tags: ["Centrifugo's server API"],
    summary,
    security: [{ bearer: [] }, { 'X-API-Key': [] }],
    requestBody: { required: true, content: { 'application/json': { schema: request } } },
    responses: {
      200: {
        description: `A result, or an error: ${faults.map(({ code, message }) => `${code} ${message}`).join(', ')}.`,
        content: { 'application/json': { schema: reply } },
      },
      400: { description: 'The body is malformed.' },
      401: { description: 'The API key is missing or wrong.' },
      429: { description: 'The address has sent too many requests with no key or a wrong one.' },
    },
  };
}
