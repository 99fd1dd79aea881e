import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import { apiKeyAuth, errorResponses } from '../../../http/index.js';

const pushBody = {
  type: 'object',
  required: ['websocket'],
  properties: {
    websocket: {
      type: 'object',
      required: ['action', 'secConnectionID'],
      properties: {
        action: { type: 'string', enum: ['data send', 'closing'] },
        secConnectionID: { type: 'string' },
        dataType: { type: 'string', enum: ['text', 'binary'], default: 'text' },
        data: { type: 'string', description: 'The text, or the bytes in base64.' },
      },
    },
  },
};

const pushAnswer = {
  type: 'object',
  properties: { errNo: { type: 'integer' }, errMsg: { type: 'string' } },
};

export const DescribeReversePush = () =>
  applyDecorators(
    ApiTags('functions'),
    ApiOperation({ summary: 'Send a message to a connection of a function route, or close it.' }),
    ...apiKeyAuth(),
    ApiBody({ schema: pushBody }),
    ApiResponse({ status: 200, description: 'Done.', schema: pushAnswer }),
    ApiResponse({ status: 400, description: 'Not a push.', schema: pushAnswer }),
    ApiResponse({ status: 410, description: 'The connection is gone.', schema: pushAnswer }),
    ApiResponse({ status: 503, description: 'It is not known whether it arrived.', schema: pushAnswer }),
    ...errorResponses({}, ['unauthorized', 'api_key_not_configured', 'rate_limited']),
  );

export const DescribeConnections = () =>
  applyDecorators(
    ApiTags('functions'),
    ApiOperation({ summary: 'Count and list the connections of function routes, on all nodes.' }),
    ...apiKeyAuth(),
    ApiQuery({ name: 'route', required: false, description: 'Only the connections of this route.' }),
    ApiQuery({
      name: 'limit',
      required: false,
      schema: { type: 'integer', minimum: 1, maximum: 1000, default: 100 },
    }),
    ApiQuery({ name: 'cursor', required: false, description: 'The value of next in the page before.' }),
    ApiResponse({
      status: 200,
      description: 'The number of connections, and one page of them.',
      schema: {
        type: 'object',
        properties: {
          total: { type: 'integer' },
          connections: {
            type: 'array',
            items: {
              type: 'object',
              properties: {
                id: { type: 'string' },
                route: { type: 'string' },
                node: { type: 'string' },
                connectedAt: { type: 'string', format: 'date-time' },
                sourceIp: { type: 'string' },
                userAgent: { type: 'string' },
              },
            },
          },
          next: { type: 'string' },
        },
      },
    }),
    ...errorResponses({}, [
      'unknown_parameter',
      'invalid_limit',
      'invalid_cursor',
      'unauthorized',
      'api_key_not_configured',
      'rate_limited',
    ]),
  );
