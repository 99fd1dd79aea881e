import { ApiQuery } from '@nestjs/swagger';
import type { z } from 'zod';
import { errorResponses, schemaRef, type HttpErrorCode } from '../http/index.js';
import { triggerErrorTable } from './trigger.errors.js';
import { triggerSchemas } from './trigger.schemas.js';

type ErrorCode = HttpErrorCode | keyof typeof triggerErrorTable;

/** Every route can respond with these. */
const COMMON_CODES: readonly ErrorCode[] = [
  'unknown_parameter',
  'unauthorized',
  'rate_limited',
  'broker_unavailable',
];

export const ref = (schema: z.ZodType) => schemaRef(triggerSchemas, schema);

export function errors(...codes: readonly ErrorCode[]) {
  return errorResponses(triggerErrorTable, [...codes, ...COMMON_CODES]);
}

export const targets = () => [
  ApiQuery({ name: 'channel', required: false, description: 'Push to a channel. Needs an API key.' }),
  ApiQuery({
    name: 'user',
    required: false,
    description: 'Push to every connection of a user. Needs an API key.',
  }),
  ApiQuery({ name: 'connection', required: false, description: 'Push to one connection. Needs an API key.' }),
];
