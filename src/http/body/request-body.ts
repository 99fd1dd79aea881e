import type { FastifyRequest } from 'fastify';
import { EmptyBodyError, UnsupportedMediaTypeError } from '../http.errors.js';
import { bodyBytes } from './lazy-json.js';
import { isJsonType } from './media-type.js';

/**
 * Returns the body as it was received. Every route of the server gets bytes and checks them itself.
 * @throws EmptyBodyError, UnsupportedMediaTypeError
 */
export function jsonBytes(request: FastifyRequest): Buffer {
  const { 'content-type': type, 'content-encoding': encoding = 'identity' } = request.headers;
  const bytes = bodyBytes(request) ?? Buffer.alloc(0);
  if (type === undefined && bytes.length === 0)
    throw new EmptyBodyError('the body is empty: it must be JSON');
  if (!isJsonType(type ?? '') || encoding.toLowerCase() !== 'identity')
    throw new UnsupportedMediaTypeError(
      'the Content-Type must be application/json (in UTF-8), and the body must not be compressed',
    );
  return bytes;
}
