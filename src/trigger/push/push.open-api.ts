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
import { pushResponse } from './push.schemas.js';

export const DescribePush = () =>
  applyDecorators(
    ApiTags('trigger'),
    ApiOperation({
      summary:
        'Push the body to the caller, or with an API key to others: immediately, and again after a delay.',
    }),
    ...apiKeyAuth(),
    ApiQuery({
      name: 'lanes',
      required: false,
      description: 'The copies to create.',
      schema: { type: 'string', enum: ['instant', 'delayed', 'instant,delayed'], default: 'instant,delayed' },
    }),
    ApiQuery({
      name: 'delay',
      required: false,
      description: 'Delay of the delayed copy: milliseconds, or an ISO 8601 duration.',
      schema: { type: 'string', example: 'PT3S' },
    }),
    ApiQuery({
      name: 'deliverAt',
      required: false,
      description: 'Due time of the delayed copy, instead of delay: an RFC 3339 timestamp.',
      schema: { type: 'string', format: 'date-time', example: '2030-01-31T09:00:00Z' },
    }),
    ApiQuery({
      name: 'expiresIn',
      required: false,
      description:
        'Time from now after which a copy that was not delivered is dropped. Same format as delay.',
      schema: { type: 'string', example: 'PT1M' },
    }),
    ...targets(),
    ApiHeader({
      name: 'Idempotency-Key',
      required: false,
      description:
        'A second request with the same key returns the same response and creates no other message.',
    }),
    ApiHeader({
      name: 'traceparent',
      required: false,
      description: 'W3C trace context, which the message carries.',
    }),
    ApiConsumes('application/json'),
    ApiBody({
      description: 'The JSON to deliver. It is forwarded byte for byte.',
      schema: { example: { id: 'Hello' } },
    }),
    ApiResponse({ status: 202, description: 'Each lane holds its copy.', schema: ref(pushResponse) }),
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
