import type { FastifyRequest } from 'fastify';
import { EmptyBodyError, UnsupportedMediaTypeError } from './http.errors.js';

const JSON_TYPE = /^application\/json\s*(?:;\s*charset="?utf-8"?\s*)?$/i;

/**
 * The body as it came. Every route of the server gets bytes and says itself what it takes.
 * @throws EmptyBodyError, UnsupportedMediaTypeError
 */
export function jsonBytes(request: FastifyRequest): Buffer {
  const { body, headers } = request;
  const { 'content-type': type, 'content-encoding': encoding = 'identity' } = headers;
  const bytes = Buffer.isBuffer(body) ? body : Buffer.alloc(0);
  if (type === undefined && bytes.length === 0)
    throw new EmptyBodyError('the body is empty, and has to be JSON');
  if (!JSON_TYPE.test(type ?? '') || encoding.toLowerCase() !== 'identity')
    throw new UnsupportedMediaTypeError('the body must be application/json in UTF-8, not compressed');
  return bytes;
}
