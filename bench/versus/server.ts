import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { OwnedProcess, whenOwnerEnds } from '../../scripts/brokers/owned-process.ts';
import { freePort } from '../../scripts/brokers/ports.ts';
import type { Deployment, Program } from './programs.ts';

const START_TIMEOUT_MS = 20_000;
const STOP_PATIENCE_MS = 5_000;

/** A running server of one or several processes. It ends when this process ends, at the latest. */
export class Server implements AsyncDisposable {
  readonly #directory = mkdtempSync(join(tmpdir(), 'carillon-bench-'));
  readonly #released = whenOwnerEnds(['rm', '-rf', this.#directory]);
  readonly #processes: OwnedProcess[] = [];
  readonly #addresses: string[] = [];

  private constructor() {}

  /** Resolves when all processes are ready. */
  static async start(program: Program, deployment: Deployment): Promise<Server> {
    const server = new Server();
    try {
      for (let i = 0; i < deployment.processes; i++) await server.#add(program, deployment);
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  /** host:port of each process. */
  get addresses(): readonly string[] {
    return this.#addresses;
  }

  get pids(): readonly number[] {
    return this.#processes.map(({ pid }) => pid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#processes.map((child) => child.end('SIGTERM', STOP_PATIENCE_MS)));
    rmSync(this.#directory, { recursive: true, force: true });
    this.#released();
  }

  async #add(program: Program, deployment: Deployment): Promise<void> {
    const port = await freePort();
    const directory = join(this.#directory, String(port));
    mkdirSync(directory);
    const log = join(directory, 'log');
    const child = new OwnedProcess(program.command(port, deployment, directory), directory, log);
    this.#processes.push(child);
    this.#addresses.push(`127.0.0.1:${port}`);
    for (const end = Date.now() + START_TIMEOUT_MS; !(await serves(port)); await delay(20)) {
      if (child.running && Date.now() < end) continue;
      throw new Error(`${program.name} did not start:\n${readFileSync(log, 'utf8').slice(-2_000)}`);
    }
  }
}

async function serves(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/health`)).ok;
  } catch {
    return false; // not listening yet
  }
}
