import { isUtf8 } from 'node:buffer';
import { checkJson, DeepJsonError, MalformedJsonError } from '../../json/index.js';
import { EmptyBodyError, InvalidJsonError, InvalidUtf8Error, JsonTooDeepError } from '../http.errors.js';

/**
 * Checks that bytes are one JSON text (RFC 8259), without creating its values: data that is only forwarded stays bytes.
 * @throws EmptyBodyError, InvalidUtf8Error, JsonTooDeepError, InvalidJsonError
 */
export function requireJson(bytes: Buffer, maxDepth: number): void {
  if (bytes.length === 0) throw new EmptyBodyError('the body is empty: it must be JSON');
  if (!isUtf8(bytes)) throw new InvalidUtf8Error('the body is not valid UTF-8');
  try {
    checkJson(bytes, maxDepth);
  } catch (cause) {
    if (cause instanceof DeepJsonError)
      throw new JsonTooDeepError(`the body is nested too deeply: at most ${maxDepth} levels are accepted`, {
        cause,
      });
    if (cause instanceof MalformedJsonError)
      throw new InvalidJsonError(`the body is not valid JSON: ${cause.message}`, { cause });
    throw cause;
  }
}

/** Returns the value of a JSON text that {@link requireJson} accepts, and throws what it throws. */
export function parseJson(bytes: Buffer, maxDepth: number): unknown {
  requireJson(bytes, maxDepth);
  return JSON.parse(bytes.toString());
}
