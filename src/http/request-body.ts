import type { FastifyRequest } from 'fastify';
import { EmptyBodyError, UnsupportedMediaTypeError } from './http.errors.js';

const JSON_TYPE = /^application\/json\s*(?:;\s*charset="?utf-8"?\s*)?$/i;

/**
 * Returns the body as it was received. Every route of the server gets bytes and checks them itself.
 * @throws EmptyBodyError, UnsupportedMediaTypeError
 */
export function jsonBytes(request: FastifyRequest): Buffer {
  const { body, headers } = request;
  const { 'content-type': type, 'content-encoding': encoding = 'identity' } = headers;
  const bytes = Buffer.isBuffer(body) ? body : Buffer.alloc(0);
  if (type === undefined && bytes.length === 0)
    throw new EmptyBodyError('the body is empty: it must be JSON');
  if (!JSON_TYPE.test(type ?? '') || encoding.toLowerCase() !== 'identity')
    throw new UnsupportedMediaTypeError(
      'the Content-Type must be application/json (in UTF-8), and the body must not be compressed',
    );
  return bytes;
}
