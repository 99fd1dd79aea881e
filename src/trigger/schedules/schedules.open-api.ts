import { applyDecorators } from '@nestjs/common';
import {
  ApiBody,
  ApiConsumes,
  ApiOperation,
  ApiParam,
  ApiQuery,
  ApiResponse,
  ApiTags,
} from '@nestjs/swagger';
import { apiKeyAuth } from '../../http/index.js';
import { errors, ref, targets } from '../trigger.open-api.js';
import { reschedule, schedulePage, scheduled, scheduledWithData } from './schedules.schemas.js';

const id = () => ApiParam({ name: 'id', description: 'The id of a message that waits in the delayed lane.' });

export const DescribeList = () =>
  applyDecorators(
    ApiTags('schedules'),
    ApiOperation({
      summary: 'What waits in the delayed lane: for the caller, or with an API key for anybody.',
    }),
    ...apiKeyAuth(),
    ...targets(),
    ApiQuery({
      name: 'limit',
      required: false,
      schema: { type: 'integer', minimum: 1, maximum: 1000, default: 100 },
    }),
    ApiQuery({ name: 'cursor', required: false, description: 'The next of the page before.' }),
    ApiResponse({ status: 200, description: 'One page, by due time.', schema: ref(schedulePage) }),
    ...errors('invalid_limit', 'invalid_cursor', 'invalid_target', 'api_key_not_configured'),
  );

export const DescribeFind = () =>
  applyDecorators(
    ApiTags('schedules'),
    ApiOperation({ summary: 'One message that waits, with its data.' }),
    ...apiKeyAuth(),
    id(),
    ApiResponse({ status: 200, description: 'It waits.', schema: ref(scheduledWithData) }),
    ...errors('unknown_schedule'),
  );

export const DescribeReschedule = () =>
  applyDecorators(
    ApiTags('schedules'),
    ApiOperation({ summary: 'Make it due at another time.' }),
    ...apiKeyAuth(),
    id(),
    ApiConsumes('application/json'),
    ApiBody({ schema: ref(reschedule) }),
    ApiResponse({ status: 200, description: 'It is due at the new time.', schema: ref(scheduled) }),
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
    ...apiKeyAuth(),
    id(),
    ApiResponse({ status: 204, description: 'It will not arrive.' }),
    ...errors('unknown_schedule', 'schedule_already_due'),
  );
