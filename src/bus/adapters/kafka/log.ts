import { Logger } from '@nestjs/common';
import { type LogEntry, logLevel } from 'kafkajs';

const REPEAT_AFTER_MS = 30_000;

/**
 * Creates kafkajs's logger, which writes to Nest's. kafkajs logs everything that it is going to retry as an error, so its errors
 * become warnings and its warnings become debug lines; the adapter itself reports what matters. While a broker is unavailable,
 * kafkajs logs the same line several times a second: it is written once in 30 seconds.
 */
export function kafkaLogCreator(): () => (entry: LogEntry) => void {
  const logger = new Logger('KafkaClient');
  const shownAt = new Map<string, number>();
  return () =>
    ({ namespace, level, log }) => {
      const cause = typeof log['error'] === 'string' ? `: ${log['error']}` : '';
      const line = `${namespace}: ${log.message}${cause}`;
      if (level !== logLevel.ERROR) return logger.debug(line);
      const now = Date.now();
      if (now - (shownAt.get(line) ?? 0) < REPEAT_AFTER_MS) return;
      if (shownAt.size > 100) shownAt.clear();
      shownAt.set(line, now);
      logger.warn(line);
    };
}
