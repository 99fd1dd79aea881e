import { inspect } from 'node:util';
import { UndeliverableRecordError } from '../../message/index.js';
import { redactUrls } from '../../urls/index.js';
import type { Failure } from './retry-record.js';
import { UnhandleableEventError } from '../consumers/consumer.errors.js';

const MAX_LENGTH = 500;

/** Returns what an operator sees of an error in dead letters and in the log. */
export function failureOf(error: unknown): Failure {
  return { code: codeOf(error), message: redacted(messageOf(error)).slice(0, MAX_LENGTH) };
}

/** Returns whether a retry cannot succeed. */
export function isFinal(error: unknown): boolean {
  return error instanceof UnhandleableEventError || error instanceof UndeliverableRecordError;
}

/** The thrown value may be something other than an Error: Nest's exception filters throw `{ status, message }`. */
function messageOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error);
  if ('message' in error && typeof error.message === 'string' && error.message !== '') return error.message;
  return error instanceof Error ? error.name : inspect(error, { breakLength: Infinity });
}

function codeOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[\w.-]{1,64}$/.test(code) ? code : 'handler_failed';
}

/** Removes passwords and tokens, because errors of handlers may quote URLs and headers. */
function redacted(text: string): string {
  return redactUrls(text)
    .replaceAll(/\b(bearer|basic)\s+[\w+/=.~-]+/gi, '$1 …')
    .replaceAll(
      /\b(\w*(?:password|passwd|secret|token|api[-_]?key))(["']?\s*[=:]\s*["']?)[^\s"'&,;]+/gi,
      '$1$2…',
    );
}
