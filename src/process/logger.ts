import type { LoggerService, LogLevel } from '@nestjs/common';
import { type LoggerOptions, pino, type Logger as Pino } from 'pino';
import type { LogOptions } from '../config/server.options.js';
import { redactUrls } from '../urls/index.js';
import { LogOutput } from './log-output.js';

/** The contexts in which Nest logs details of its start. They are useful to developers of Carillon, not to operators. */
const FRAMEWORK = new Set([
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestApplication',
]);

/** The contexts in which Nest logs start-up errors. It then rethrows them, and the caller logs them. */
const RETHROWN = new Set(['ExceptionHandler', 'NestApplication']);

/** Nest's logger over pino: one JSON object per line, or readable lines on a terminal. */
export class PinoLogger implements LoggerService {
  readonly #pino: Pino;

  constructor({ level, format }: LogOptions) {
    const pretty = format === 'pretty' || (format === 'auto' && process.stdout.isTTY);
    const options: LoggerOptions = {
      level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      // A safeguard against libraries: our own code does not log these.
      redact: [
        '*.token',
        '*.password',
        '*.authorization',
        '*["x-api-key"]',
        'headers.authorization',
        'headers.cookie',
      ],
      // Errors of libraries quote addresses with their passwords.
      hooks: { streamWrite: redactUrls },
      ...(pretty ? { transport: { target: 'pino-pretty', options: { ignore: 'pid', sync: true } } } : {}),
    };
    const output = pretty ? undefined : LogOutput.forStdout();
    this.#pino = output === undefined ? pino(options) : pino(options, output);
  }

  log(message: unknown, ...rest: unknown[]): void {
    this.#write('info', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.#write('error', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.#write('warn', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.#write('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.#write('trace', message, rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.#write('fatal', message, rest);
  }

  setLogLevels(_levels: LogLevel[]): void {
    // The level comes from the configuration, not from Nest.
  }

  /** Nest passes a stack or other values first, and the context last. */
  #write(
    level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal',
    message: unknown,
    rest: unknown[],
  ): void {
    const last = rest.at(-1);
    const context = typeof last === 'string' ? last : undefined;
    const details = context === undefined ? rest : rest.slice(0, -1);
    const fields = {
      ...(context === undefined ? {} : { context }),
      ...(message instanceof Error ? { err: message } : {}),
      ...(details.length > 0 ? { details: details.length === 1 ? details[0] : details } : {}),
    };
    const quiet =
      context !== undefined &&
      ((level === 'info' && FRAMEWORK.has(context)) || (level === 'error' && RETHROWN.has(context)));
    this.#pino[quiet ? 'debug' : level](fields, message instanceof Error ? message.message : String(message));
  }
}
