import { endOfTurn, inBackground } from '../../../../async/index.js';
import type { DecodedFrame } from '../codec/codec.js';
import type { Command } from '../codec/commands.js';

/** Takes the place of the malformed rest of a frame. */
export const MALFORMED = Symbol('malformed');

export type QueuedCommand = Command | typeof MALFORMED;

/** Executes the commands of one client. */
export interface CommandExecutor {
  /** Returns a promise if the next command has to wait for it. The promise never rejects. */
  execute(command: QueuedCommand): Promise<void> | undefined;
  /** Stops reading from the client until {@link resume}. */
  pause(): void;
  resume(): void;
}

/** If more commands than this wait, the client is not read from. */
const MAX_WAITING = 64;

/**
 * How many commands of one client are executed in one turn of the event loop. Commands that need no promise (with stores in memory)
 * would otherwise block all other clients until the last command of a frame is done.
 */
const MAX_PER_TURN = 16;

/** Executes the commands of one client one after another, in the order in which they came. */
export class CommandQueue {
  /** The commands after the current one; undefined if there is no current one. */
  #waiting: QueuedCommand[] | undefined;
  #isPaused = false;
  /** Commands executed in this turn. */
  #inThisTurn = 0;

  constructor(private readonly executor: CommandExecutor) {}

  add({ commands, fault }: DecodedFrame): void {
    const waiting = this.#waiting ?? [];
    for (const command of commands) waiting.push(command);
    if (fault !== undefined) waiting.push(MALFORMED);
    if (this.#waiting === undefined) this.#execute(waiting);
    else if (waiting.length > MAX_WAITING && !this.#isPaused) {
      this.#isPaused = true;
      this.executor.pause();
    }
  }

  /** Executes commands until one returns a promise, and continues when that one is done. */
  #execute(commands: QueuedCommand[]): void {
    for (let at = 0; at < commands.length; at++) {
      if (this.#inThisTurn++ === MAX_PER_TURN) {
        this.#waiting = commands.slice(at);
        endOfTurn('commands of a client', () => {
          this.#inThisTurn = 0;
          this.#continue();
        });
        return;
      }
      const work = this.executor.execute(commands[at]!);
      if (work === undefined) continue;
      this.#waiting = commands.slice(at + 1);
      inBackground('commands of a client', () => work.then(() => this.#continue()));
      return;
    }
    this.#waiting = undefined;
    this.#inThisTurn = 0;
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.executor.resume();
  }

  #continue(): void {
    this.#execute(this.#waiting ?? []);
  }
}
