import { Logger } from '@nestjs/common';
import { CarillonError } from '../../../../errors.js';
import { CommandRefusedError, replyErrors, type ReplyError } from '../centrifugo.errors.js';
import type { Method } from '../codec/commands.js';

const logger = new Logger('Centrifugo');

/** Returns the error for the client. Any error that is not meant for it becomes an internal error and is logged. */
export function failureReply(method: Method, error: unknown): ReplyError {
  if (error instanceof CommandRefusedError) return error.reply;
  if (error instanceof CarillonError) logger.warn(`${method} failed: ${error.code}: ${error.message}`);
  else logger.error(`${method} failed`, error instanceof Error ? error.stack : error);
  return replyErrors.internal;
}
