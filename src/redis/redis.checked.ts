import { Redis, type Command } from 'ioredis';

type WriteableStream = Parameters<Redis['sendCommand']>[1];

/**
 * A connection that becomes ready in the database that it was configured for, or not at all. If SELECT fails, ioredis
 * only emits an error and continues in database 0, with data of others. Here the check that follows it fails too, so
 * that the client reconnects and tries again.
 */
export class CheckedRedis extends Redis {
  #selectError: Error | undefined;

  override sendCommand(command: Command, stream?: WriteableStream): unknown {
    if (this.status !== 'connect') return super.sendCommand(command, stream);
    if (command.name === 'select') {
      this.#selectError = undefined;
      command.promise.catch((error: Error) => (this.#selectError = error));
    } else if (command.name === 'info' && this.#selectError !== undefined) {
      command.reject(this.#selectError);
      return command.promise;
    }
    return super.sendCommand(command, stream);
  }
}
