import { applyDecorators } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import { apiKeyAuth } from '../../http/index.js';
import { errors, ref } from '../trigger.open-api.js';
import { deadLetterPage, deadLetterWithData, redriven } from './dead-letters.schemas.js';

const filters = () => [
  ApiQuery({
    name: 'group',
    required: false,
    description: 'Only dead letters of this consumer: module-consumer.',
  }),
  ApiQuery({ name: 'topic', required: false, description: 'Only dead letters from this topic.' }),
];

const limit = (byDefault: number) =>
  ApiQuery({
    name: 'limit',
    required: false,
    schema: { type: 'integer', minimum: 1, maximum: 1000, default: byDefault },
  });

const id = () => ApiParam({ name: 'id', description: 'The id of a dead letter.' });

const accepted = () =>
  ApiResponse({ status: 202, description: 'The consumer will handle them again.', schema: ref(redriven) });

const needKey = ['api_key_not_configured'] as const;

export const DescribeDeadLetters = () =>
  applyDecorators(
    ApiTags('dead letters'),
    ApiOperation({ summary: 'List the events that consumers failed to handle.' }),
    ...apiKeyAuth(),
    ...filters(),
    limit(100),
    ApiQuery({ name: 'cursor', required: false, description: 'The value of next in the previous page.' }),
    ApiResponse({
      status: 200,
      description: 'One page of dead letters, the oldest first.',
      schema: ref(deadLetterPage),
    }),
    ...errors('invalid_limit', 'invalid_cursor', 'too_many_lists', ...needKey),
  );

export const DescribeDeadLetter = () =>
  applyDecorators(
    ApiTags('dead letters'),
    ApiOperation({ summary: 'Read a dead letter with its headers and data.' }),
    ...apiKeyAuth(),
    id(),
    ApiResponse({ status: 200, description: 'The dead letter.', schema: ref(deadLetterWithData) }),
    ...errors('unknown_dead_letter', ...needKey),
  );

export const DescribeRedrive = () =>
  applyDecorators(
    ApiTags('dead letters'),
    ApiOperation({
      summary: 'Redrive a dead letter: its consumer handles it again, with all of its attempts.',
    }),
    ...apiKeyAuth(),
    id(),
    accepted(),
    ...errors('unknown_dead_letter', ...needKey),
  );

export const DescribeRedriveAll = () =>
  applyDecorators(
    ApiTags('dead letters'),
    ApiOperation({ summary: 'Redrive the dead letters of a consumer or from a topic.' }),
    ...apiKeyAuth(),
    ...filters(),
    limit(1000),
    accepted(),
    ...errors('conflicting_parameters', 'invalid_limit', ...needKey),
  );

export const DescribeDrop = () =>
  applyDecorators(
    ApiTags('dead letters'),
    ApiOperation({ summary: 'Drop a dead letter.' }),
    ...apiKeyAuth(),
    id(),
    ApiResponse({ status: 204, description: 'The dead letter is deleted.' }),
    ...errors('unknown_dead_letter', ...needKey),
  );
