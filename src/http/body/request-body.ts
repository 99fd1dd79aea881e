import type { FastifyRequest } from 'fastify';
import { EmptyBodyError, UnsupportedMediaTypeError } from '../http.errors.js';
import { parseMediaType } from './media-type.js';

const UTF_8 = /^utf-?8$/i;

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
  if (!isJsonType(type ?? '') || encoding.toLowerCase() !== 'identity')
    throw new UnsupportedMediaTypeError(
      'the Content-Type must be application/json (in UTF-8), and the body must not be compressed',
    );
  return bytes;
}

/** Accepts any parameters, because only `charset` has a meaning here. */
export function isJsonType(text: string): boolean {
  const { type, parameters } = parseMediaType(text) ?? {};
  return type === 'application/json' && UTF_8.test(parameters?.get('charset') ?? 'utf-8');
}
