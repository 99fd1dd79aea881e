import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import type { Socket } from 'node:net';

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

/** A child process that ends when this process ends, however that happens. */
export class OwnedProcess {
  readonly pid: number;
  readonly exited: Promise<void>;
  readonly #child: ChildProcess;

  constructor(command: Command, cwd: string, logFile: string) {
    const log = openSync(logFile, 'a');
    // Its own process group: Ctrl-C in a terminal reaches only the owner, which then stops its children in order.
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

  /** Suspends the process until `thaw`. Its connections stay open. */
  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child.kill('SIGCONT');
  }

  async end(signal: 'SIGTERM' | 'SIGKILL', patienceMs = 20_000): Promise<void> {
    if (!this.running) return;
    this.#child.kill(signal);
    // A suspended process does not receive SIGTERM.
    this.thaw();
    const impatience = setTimeout(() => this.#child.kill('SIGKILL'), patienceMs);
    await this.exited;
    clearTimeout(impatience);
  }
}

/**
 * Runs a command when this process has ended, however that happens. Returns a function that cancels it.
 *
 * A child survives a SIGKILL of its parent. Therefore a shell waits at the end of a pipe: a line on the pipe cancels the
 * command, and the end of the pipe without a line means that the owner has ended.
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
