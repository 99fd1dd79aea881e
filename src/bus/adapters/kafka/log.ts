import { Logger } from '@nestjs/common';
import { type LogEntry, logLevel } from 'kafkajs';

const REPEAT_AFTER_MS = 30_000;

/**
 * kafkajs's log, in ours. It calls an error whatever it is about to retry, so that its errors are warnings here and its
 * warnings are for debugging; what matters is reported by the adapter itself. While a broker is away the same line comes
 * several times a second: it is shown once in a while.
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
