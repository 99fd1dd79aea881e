import type { DecodedFrame } from '../codec/codec.js';
import type { Command } from '../codec/commands.js';

/** Stands for the rest of a frame that is not the protocol's. */
export const MALFORMED = Symbol('malformed');

export type QueuedCommand = Command | typeof MALFORMED;

/** Who carries commands out. */
export interface CommandTaker {
  /** Answers a promise, which never rejects, where the next command has to wait. */
  carryOut(command: QueuedCommand): Promise<void> | undefined;
  /** Takes nothing more from the client for a while. */
  pause(): void;
  resume(): void;
}

/** How many commands may wait for the one under way before the client is not read from. */
const MANY_WAITING = 64;

/**
 * How many commands of one client are carried out in a row. What takes no time, as where the stores are in memory, would
 * else keep everybody waiting until the last command of a frame is done.
 */
const MANY_IN_A_ROW = 16;

/** The commands of one client, carried out one after another in its order, however long each takes. */
export class CommandQueue {
  /** Behind the command under way; undefined while there is none. */
  #waiting: QueuedCommand[] | undefined;
  #isPaused = false;
  /** Carried out since others had their turn. */
  #inARow = 0;

  constructor(private readonly taker: CommandTaker) {}

  add({ commands, fault }: DecodedFrame): void {
    const waiting = this.#waiting ?? [];
    for (const command of commands) waiting.push(command);
    if (fault !== undefined) waiting.push(MALFORMED);
    if (this.#waiting === undefined) this.#carryOut(waiting);
    else if (waiting.length > MANY_WAITING && !this.#isPaused) {
      this.#isPaused = true;
      this.taker.pause();
    }
  }

  /** Goes on until a command takes its time, and from there when that one is done. */
  #carryOut(commands: QueuedCommand[]): void {
    for (let at = 0; at < commands.length; at++) {
      if (this.#inARow++ === MANY_IN_A_ROW) {
        this.#waiting = commands.slice(at);
        setImmediate(() => {
          this.#inARow = 0;
          this.#carryOn();
        });
        return;
      }
      const work = this.taker.carryOut(commands[at]!);
      if (work === undefined) continue;
      this.#waiting = commands.slice(at + 1);
      void work.then(() => this.#carryOn());
      return;
    }
    this.#waiting = undefined;
    this.#inARow = 0;
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.taker.resume();
  }

  #carryOn(): void {
    this.#carryOut(this.#waiting ?? []);
  }
}
