import { isUtf8 } from 'node:buffer';
import { checkJson, DeepJsonError, MalformedJsonError } from '../json/index.js';
import { EmptyBodyError, InvalidJsonError, InvalidUtf8Error, JsonTooDeepError } from './http.errors.js';

/**
 * Checks that bytes are one JSON text (RFC 8259) without making values of it: what is only forwarded travels as bytes.
 * @throws EmptyBodyError, InvalidUtf8Error, JsonTooDeepError, InvalidJsonError
 */
export function requireJson(bytes: Buffer, maxDepth: number): void {
  if (bytes.length === 0) throw new EmptyBodyError('the body is empty, and has to be JSON');
  if (!isUtf8(bytes)) throw new InvalidUtf8Error('the body is not valid UTF-8');
  try {
    checkJson(bytes, maxDepth);
  } catch (cause) {
    if (cause instanceof DeepJsonError)
      throw new JsonTooDeepError(`the JSON is nested deeper than ${maxDepth} levels`, { cause });
    if (cause instanceof MalformedJsonError)
      throw new InvalidJsonError(`the body is not valid JSON: ${cause.message}`, { cause });
    throw cause;
  }
}

/** The value of what {@link requireJson} lets pass. */
export function parseJson(bytes: Buffer, maxDepth: number): unknown {
  requireJson(bytes, maxDepth);
  return JSON.parse(bytes.toString());
}
