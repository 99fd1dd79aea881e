import { endOfTurn, inBackground } from '../../../../async/index.js';
import { PauseCause } from '../../../connection/pause-cause.js';
import type { FrameReader, MALFORMED } from '../codec/codec.js';
import type { Command } from '../codec/commands.js';
import type { SessionTransport } from './session-transport.js';

export type QueuedCommand = Command | typeof MALFORMED;

/** Executes the commands of one client. */
export interface CommandExecutor {
  /** Returns a promise if the next command has to wait for it. The promise never rejects. */
  execute(command: QueuedCommand): Promise<void> | undefined;
  /** Is paused while too much waits. */
  readonly transport: Pick<SessionTransport, 'pause' | 'resume'>;
}

/** If more frames or bytes than this wait, the client is not read from. */
const MAX_FRAMES = 64;
const MAX_BYTES = 64 * 1024;

/**
 * How many commands of one client are executed in one turn of the event loop. Commands that need no promise (with stores in memory)
 * would otherwise block all other clients until the last command of a frame, or of all frames of one read, is done.
 */
const MAX_PER_TURN = 16;

/** Executes the commands of one client one after another, in the order in which they came. A frame waits undecoded. */
export class CommandQueue {
  /** The frame whose commands are executed; undefined if there is none. */
  #current: FrameReader | undefined;
  #waiting: FrameReader[] = NONE;
  #isPaused = false;
  /** Commands executed in the turn {@link #turn}. */
  #inTurn = 0;
  #turn = 0;

  constructor(private readonly executor: CommandExecutor) {}

  add(frame: FrameReader): void {
    if (this.#current === undefined) {
      this.#current = frame;
      this.#execute();
      return;
    }
    if (this.#waiting === NONE) this.#waiting = [];
    this.#waiting.push(frame);
    if (this.#isFull) this.#pause();
  }

  /** Executes commands until one returns a promise, and continues when that one is done. */
  #execute(): void {
    while (this.#current !== undefined) {
      if (!this.#mayGoOn()) return;
      const command = this.#current.next();
      if (command === undefined) {
        this.#current = this.#waiting.shift();
        continue;
      }
      this.#inTurn++;
      const work = this.executor.execute(command);
      if (work === undefined) continue;
      inBackground('commands of a client', () => work.then(() => this.#execute()));
      if (this.#isFull) this.#pause();
      return;
    }
    this.#waiting = NONE;
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.executor.transport.resume(PauseCause.queue);
  }

  /** Returns false, and continues in the next turn, if enough was executed in this one. */
  #mayGoOn(): boolean {
    const turn = currentTurn();
    if (this.#turn !== turn) this.#inTurn = 0;
    this.#turn = turn;
    if (this.#inTurn < MAX_PER_TURN) return true;
    this.#pause();
    endOfTurn('commands of a client', () => this.#execute());
    return false;
  }

  get #isFull(): boolean {
    if (this.#waiting.length > MAX_FRAMES) return true;
    let bytes = this.#current?.bytesLeft ?? 0;
    for (const { bytesLeft } of this.#waiting) bytes += bytesLeft;
    return bytes > MAX_BYTES;
  }

  #pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.executor.transport.pause(PauseCause.queue);
  }
}

/** Shared by all queues without a waiting frame, and never changed. */
const NONE: FrameReader[] = [];

let turn = 0;
let isCounted = false;

/** Returns a number that all queues share, and that is another one in each turn of the event loop. */
function currentTurn(): number {
  if (!isCounted) {
    isCounted = true;
    endOfTurn('commands of a client', () => {
      turn++;
      isCounted = false;
    });
  }
  return turn;
}
