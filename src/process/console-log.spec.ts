import { expect, it } from '@jest/globals';
import { logConsole } from './console-log.js';

it('passes what a library prints to the logger', () => {
  const lines: unknown[] = [];
  const write = (level: string) => (message: unknown, context: unknown) =>
    void lines.push([level, message, context]);
  const target: Pick<Console, 'warn' | 'error'> = { warn: () => {}, error: () => {} };
  logConsole({ log: write('log'), warn: write('warn'), error: write('error') }, target);
  target.warn('[WARN] %s needs no password', 'redis');
  target.error('unhandled');
  expect(lines).toEqual([
    ['warn', '[WARN] redis needs no password', 'Console'],
    ['error', 'unhandled', 'Console'],
  ]);
});
