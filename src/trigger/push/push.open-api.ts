import { applyDecorators } from '@nestjs/common';
import {
  ApiBody,
  ApiConsumes,
  ApiHeader,
  ApiOperation,
  ApiQuery,
  ApiResponse,
  ApiTags,
} from '@nestjs/swagger';
import { apiKeyAuth } from '../../http/index.js';
import { errors, ref, targets } from '../trigger.open-api.js';
import { pushAnswer } from './push.schemas.js';

export const DescribePush = () =>
  applyDecorators(
    ApiTags('trigger'),
    ApiOperation({
      summary: 'Push the body to the caller, or with an API key to others: at once, and again after a delay.',
    }),
    ...apiKeyAuth(),
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
    ApiResponse({ status: 202, description: 'The lanes hold every copy.', schema: ref(pushAnswer) }),
    ...errors(
      'empty_body',
      'invalid_json',
      'body_too_large',
      'unsupported_media_type',
      'invalid_delay',
      'invalid_target',
      'invalid_payload',
      'api_key_not_configured',
      'idempotency_key_reused',
      'schedule_full',
    ),
  );
