import { format } from 'node:util';
import type { LoggerService } from '@nestjs/common';

/** Logs what libraries print to the console, so that every line of the log has the same form. */
export function logConsole(logger: LoggerService, target: Pick<Console, 'warn' | 'error'> = console): void {
  target.warn = (...args: unknown[]) => void logger.warn(format(...args), 'Console');
  target.error = (...args: unknown[]) => void logger.error(format(...args), 'Console');
}
