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

const id = () => ApiParam({ name: 'id', description: 'The id of a scheduled message.' });

export const DescribeList = () =>
  applyDecorators(
    ApiTags('schedules'),
    ApiOperation({
      summary: 'List scheduled messages: those for the caller, or with an API key all of them.',
    }),
    ...apiKeyAuth(),
    ...targets(),
    ApiQuery({
      name: 'limit',
      required: false,
      schema: { type: 'integer', minimum: 1, maximum: 1000, default: 100 },
    }),
    ApiQuery({ name: 'cursor', required: false, description: 'The value of next in the previous page.' }),
    ApiResponse({
      status: 200,
      description: 'One page of messages, by due time.',
      schema: ref(schedulePage),
    }),
    ...errors(
      'invalid_limit',
      'invalid_cursor',
      'too_many_lists',
      'invalid_target',
      'api_key_not_configured',
    ),
  );

export const DescribeFind = () =>
  applyDecorators(
    ApiTags('schedules'),
    ApiOperation({ summary: 'Read a scheduled message with its data.' }),
    ...apiKeyAuth(),
    id(),
    ApiResponse({ status: 200, description: 'The message.', schema: ref(scheduledWithData) }),
    ...errors('unknown_schedule'),
  );

export const DescribeReschedule = () =>
  applyDecorators(
    ApiTags('schedules'),
    ApiOperation({ summary: 'Reschedule a message.' }),
    ...apiKeyAuth(),
    id(),
    ApiConsumes('application/json'),
    ApiBody({ schema: ref(reschedule) }),
    ApiResponse({ status: 200, description: 'The message with its new due time.', schema: ref(scheduled) }),
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
    ApiOperation({ summary: 'Cancel a message.' }),
    ...apiKeyAuth(),
    id(),
    ApiResponse({ status: 204, description: 'The message is cancelled and will not be delivered.' }),
    ...errors('unknown_schedule', 'schedule_already_due'),
  );
