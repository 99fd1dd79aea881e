import { fstatSync } from 'node:fs';
import type { DestinationStream } from 'pino';

const STDOUT = 1;
/** Bytes of the log that may wait for a reader that does not read. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

/** The part of a stream that the log is written to. */
export type LogStream = Pick<NodeJS.WriteStream, 'write' | 'writableLength'>;

/**
 * Writes the log to a pipe or a socket without waiting for its reader. A synchronous write to a pipe that nobody reads any more
 * stops the whole process, and then not even SIGTERM ends it. Lines beyond a bound are dropped, and their number is logged when the
 * reader continues.
 */
export class LogOutput implements DestinationStream {
  #dropped = 0;

  constructor(private readonly stream: LogStream) {}

  /** Returns undefined for a file or a terminal, whose writes do not block. */
  static forStdout(): LogOutput | undefined {
    const kind = fstatSync(STDOUT);
    return kind.isFIFO() || kind.isSocket() ? new LogOutput(process.stdout) : undefined;
  }

  write(line: string): void {
    if (this.stream.writableLength > MAX_WAITING_BYTES) {
      this.#dropped++;
      return;
    }
    if (this.#dropped > 0) this.#reportDropped();
    this.stream.write(line);
  }

  #reportDropped(): void {
    const msg = `${this.#dropped} line(s) of the log were dropped, because nobody read the output of this process`;
    this.#dropped = 0;
    const time = new Date().toISOString();
    this.stream.write(`${JSON.stringify({ level: 'warn', time, pid: process.pid, context: 'Log', msg })}\n`);
  }
}
