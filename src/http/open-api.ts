import { applyDecorators, type INestApplication } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiBody,
  ApiConsumes,
  ApiHeader,
  ApiOperation,
  ApiParam,
  ApiQuery,
  ApiResponse,
  ApiSecurity,
  ApiTags,
  DocumentBuilder,
  SwaggerModule,
  type OpenAPIObject,
} from '@nestjs/swagger';
import { z } from 'zod';
import { apiPaths } from '../trigger/centrifugo-api/api.open-api.js';
import { Methods } from '../trigger/centrifugo-api/methods.js';
import { statusByCode, type HttpErrorCode } from '../trigger/trigger.errors.js';
import { TRIGGER_OPTIONS } from '../trigger/trigger.module-definition.js';
import type { TriggerOptions } from '../trigger/trigger.options.js';
import { apiSchemas } from '../trigger/push/trigger.schemas.js';

type SchemaId =
  | 'PushAnswer'
  | 'Scheduled'
  | 'ScheduledWithData'
  | 'SchedulePage'
  | 'Reschedule'
  | 'DeadLetterWithData'
  | 'DeadLetterPage'
  | 'Redriven'
  | 'ErrorAnswer';
type Schemas = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>;

/** Serves the documentation at `/docs` and the OpenAPI document at `/docs/json`. */
export function setUpOpenApi(app: INestApplication, version: string): void {
  SwaggerModule.setup('docs', app, () => createOpenApi(app, version), { jsonDocumentUrl: 'docs/json' });
}

function createOpenApi(app: INestApplication, version: string): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('Carillon')
    .setVersion(version)
    .setDescription('Push to WebSocket clients, now or at a given time.')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'An API key.' })
    .addApiKey({ type: 'apiKey', in: 'header', name: 'X-API-Key' }, 'X-API-Key')
    .build();
  const document = SwaggerModule.createDocument(app, config, { autoTagControllers: false });
  const { schemas } = z.toJSONSchema(apiSchemas, {
    target: 'openapi-3.0',
    uri: (id) => `#/components/schemas/${id}`,
  });
  document.components = { ...document.components, schemas: schemas as Schemas };
  if (app.get<TriggerOptions>(TRIGGER_OPTIONS).api.enabled)
    document.paths = { ...document.paths, ...apiPaths(app.get(Methods)) };
  return document;
}

export const ref = (id: SchemaId) => ({ $ref: `#/components/schemas/${id}` });

/** Every request can be refused with these. */
const EVERYWHERE: readonly HttpErrorCode[] = [
  'unknown_parameter',
  'unauthorized',
  'rate_limited',
  'broker_unavailable',
];

export function errors(...codes: readonly HttpErrorCode[]) {
  const byStatus = Map.groupBy([...codes, ...EVERYWHERE], (code) => statusByCode[code]);
  return [...byStatus].map(([status, list]) =>
    ApiResponse({ status, description: list.join(', '), schema: ref('ErrorAnswer') }),
  );
}

export const authenticated = () => [ApiBearerAuth(), ApiSecurity('X-API-Key'), ApiSecurity({})];

const targets = () => [
  ApiQuery({ name: 'channel', required: false, description: 'A channel. Needs an API key.' }),
  ApiQuery({ name: 'user', required: false, description: 'Every connection of a user. Needs an API key.' }),
  ApiQuery({ name: 'connection', required: false, description: 'One connection. Needs an API key.' }),
];

const id = () => ApiParam({ name: 'id', description: 'The id of a message that waits in the delayed lane.' });

export const DescribePush = () =>
  applyDecorators(
    ApiTags('trigger'),
    ApiOperation({
      summary: 'Push the body to the caller, or with an API key to others: at once, and again after a delay.',
    }),
    ...authenticated(),
    ApiQuery({
      name: 'lanes',
      required: false,
      description: 'Which copies to make.',
      schema: { type: 'string', enum: ['instant', 'delayed', 'instant,delayed'], default: 'instant,delayed' },
    }),
    ApiQuery({
      name: 'delay',
      required: false,
      description: 'Of the delayed copy: milliseconds, or an ISO 8601 duration.',
      schema: { type: 'string', example: 'PT3S' },
    }),
    ApiQuery({
      name: 'deliverAt',
      required: false,
      description: 'When the delayed copy is due, in the place of delay: an RFC 3339 timestamp.',
      schema: { type: 'string', format: 'date-time', example: '2030-01-31T09:00:00Z' },
    }),
    ApiQuery({
      name: 'expiresIn',
      required: false,
      description: 'After how long, from now, what was not delivered is dropped. In the form of delay.',
      schema: { type: 'string', example: 'PT1M' },
    }),
    ...targets(),
    ApiHeader({
      name: 'Idempotency-Key',
      required: false,
      description: 'The same key again gives the same answer and no second message.',
    }),
    ApiHeader({
      name: 'traceparent',
      required: false,
      description: 'W3C trace context; travels with the message.',
    }),
    ApiConsumes('application/json'),
    ApiBody({ description: 'The JSON that is to arrive, as it is.', schema: { example: { id: 'Hello' } } }),
    ApiResponse({ status: 202, description: 'The lanes hold every copy.', schema: ref('PushAnswer') }),
    ...errors(
      'empty_body',
      'invalid_json',
      'body_too_large',
      'unsupported_media_type',
      'invalid_delay',
      'invalid_target',
      'api_key_not_configured',
      'idempotency_key_reused',
      'schedule_full',
    ),
  );

export const DescribeList = () =>
  applyDecorators(
    ApiTags('schedules'),
    ApiOperation({
      summary: 'What waits in the delayed lane: for the caller, or with an API key for anybody.',
    }),
    ...authenticated(),
    ...targets(),
    ApiQuery({
      name: 'limit',
      required: false,
      schema: { type: 'integer', minimum: 1, maximum: 1000, default: 100 },
    }),
    ApiQuery({ name: 'cursor', required: false, description: 'The next of the page before.' }),
    ApiResponse({ status: 200, description: 'One page, by due time.', schema: ref('SchedulePage') }),
    ...errors('invalid_limit', 'invalid_cursor', 'invalid_target', 'api_key_not_configured'),
  );

export const DescribeFind = () =>
  applyDecorators(
    ApiTags('schedules'),
    ApiOperation({ summary: 'One message that waits, with its data.' }),
    ...authenticated(),
    id(),
    ApiResponse({ status: 200, description: 'It waits.', schema: ref('ScheduledWithData') }),
    ...errors('unknown_schedule'),
  );

export const DescribeReschedule = () =>
  applyDecorators(
    ApiTags('schedules'),
    ApiOperation({ summary: 'Make it due at another time.' }),
    ...authenticated(),
    id(),
    ApiConsumes('application/json'),
    ApiBody({ schema: ref('Reschedule') }),
    ApiResponse({ status: 200, description: 'It is due at the new time.', schema: ref('Scheduled') }),
    ...errors(
      'invalid_body',
      'invalid_delay',
      'body_too_large',
      'unsupported_media_type',
      'unknown_schedule',
      'schedule_already_due',
    ),
  );

export const DescribeCancel = () =>
  applyDecorators(
    ApiTags('schedules'),
    ApiOperation({ summary: 'Cancel it.' }),
    ...authenticated(),
    id(),
    ApiResponse({ status: 204, description: 'It will not arrive.' }),
    ...errors('unknown_schedule', 'schedule_already_due'),
  );
