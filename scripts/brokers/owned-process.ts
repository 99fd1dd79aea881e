import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import type { Socket } from 'node:net';

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

/** A child that does not outlive this process, however this process ends. */
export class OwnedProcess {
  readonly pid: number;
  readonly exited: Promise<void>;
  readonly #child: ChildProcess;

  constructor(command: Command, cwd: string, logFile: string) {
    const log = openSync(logFile, 'a');
    // A process group of its own: Ctrl-C in a terminal reaches the owner only, which then stops its children in order.
    this.#child = spawn(command.file, command.args, { cwd, stdio: ['ignore', log, log], detached: true });
    closeSync(log);
    if (this.#child.pid === undefined) {
      this.#child.once('error', () => undefined);
      throw new Error(`cannot run ${command.file}: is it installed?`);
    }
    this.pid = this.#child.pid;
    const released = whenOwnerEnds(['kill', '-9', String(this.pid)]);
    this.exited = once(this.#child, 'exit').then(released);
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** It stands still, and its connections with it, until it is thawed. */
  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child.kill('SIGCONT');
  }

  async end(signal: 'SIGTERM' | 'SIGKILL', patienceMs = 20_000): Promise<void> {
    if (!this.running) return;
    this.#child.kill(signal);
    // One that is frozen hears nothing.
    this.thaw();
    const impatience = setTimeout(() => this.#child.kill('SIGKILL'), patienceMs);
    await this.exited;
    clearTimeout(impatience);
  }
}

/**
 * Runs a command when this process is gone, however it went. Returns what calls that off.
 *
 * A child would survive a SIGKILL of its parent, so a shell waits at the end of a pipe: a line on it calls the
 * command off, its end without a line means that the owner is gone.
 */
export function whenOwnerEnds(command: readonly string[]): () => void {
  const guard = spawn('sh', ['-c', 'trap "" INT TERM HUP; read -r released || "$@"', 'sh', ...command], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  guard.unref();
  const pipe = guard.stdin as unknown as Socket;
  pipe.unref();
  pipe.on('error', () => undefined);
  return () => pipe.end('released\n');
}
