import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { BrokerAddress, BrokerKind, RunningBroker } from './broker.ts';
import { runDirectory } from './cache.ts';
import { type Command, OwnedProcess } from './owned-process.ts';
import { requireFree } from './ports.ts';
import { processIdentity } from './process-identity.ts';

/** The differences between the brokers: how to configure and run one, and how to see that it is ready. */
export interface Recipe {
  readonly address: BrokerAddress;
  readonly port: number;
  readonly keepData: boolean;
  /** Called before each start, with the broker's directory for data and configuration. */
  readonly command: (directory: string) => Command | Promise<Command>;
  /** Called repeatedly after each start, with the log since that start. */
  readonly isReady: (log: string) => boolean | Promise<boolean>;
}

/** Written beside the data of a running broker, so that `stop` finds the brokers of a killed owner. */
export interface RunRecord {
  readonly pid: number;
  readonly identity: string | undefined;
  readonly owner: number;
  readonly ownerIdentity: string | undefined;
  readonly keepData: boolean;
}

export const recordFile = 'process.json';
const startTimeoutMs = 240_000;

export class LocalBroker implements RunningBroker {
  readonly kind: BrokerKind;
  readonly url: string;
  readonly webUrl?: string;
  readonly token?: string;
  readonly directory: string;
  readonly #recipe: Recipe;
  #process: OwnedProcess | undefined;
  #starts = 0;

  protected constructor(recipe: Recipe) {
    const { address } = recipe;
    this.kind = address.kind;
    this.url = address.url;
    if (address.webUrl !== undefined) this.webUrl = address.webUrl;
    if (address.token !== undefined) this.token = address.token;
    this.#recipe = recipe;
    this.directory = join(runDirectory(), `${address.kind}-${recipe.port}`);
  }

  static async start(recipe: Recipe): Promise<LocalBroker> {
    const broker = new LocalBroker(recipe);
    await requireFree(recipe.port);
    if (!recipe.keepData) rmSync(broker.directory, { recursive: true, force: true });
    try {
      await broker.restart();
    } catch (error) {
      await broker.dispose();
      throw error;
    }
    return broker;
  }

  async stop(): Promise<void> {
    await this.#process?.end('SIGTERM');
  }

  async kill(): Promise<void> {
    await this.#process?.end('SIGKILL');
  }

  freeze(): void {
    this.#process?.freeze();
  }

  thaw(): void {
    this.#process?.thaw();
  }

  async restart(): Promise<void> {
    await this.stop();
    mkdirSync(this.directory, { recursive: true });
    const command = await this.#recipe.command(this.directory);
    this.#starts += 1;
    const logFile = join(this.directory, `start-${this.#starts}.log`);
    this.#process = new OwnedProcess(command, this.directory, logFile);
    this.#record(this.#process.pid);
    await this.#untilReady(this.#process, logFile);
  }

  async dispose(): Promise<void> {
    await this.kill();
    if (!this.#recipe.keepData) rmSync(this.directory, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  async #untilReady(child: OwnedProcess, logFile: string): Promise<void> {
    const deadline = Date.now() + startTimeoutMs;
    while (child.running && Date.now() < deadline) {
      if (await this.#recipe.isReady(readFileSync(logFile, 'utf8'))) return;
      await Promise.race([delay(50), child.exited]);
    }
    const end = readFileSync(logFile, 'utf8').split('\n').slice(-30).join('\n');
    const what = child.running ? `was not ready after ${startTimeoutMs / 1000} s` : 'ended while starting';
    throw new Error(`${this.kind} on port ${this.#recipe.port} ${what}. The end of its log:\n${end}`);
  }

  #record(pid: number): void {
    const record: RunRecord = {
      pid,
      identity: processIdentity(pid),
      owner: process.pid,
      ownerIdentity: processIdentity(process.pid),
      keepData: this.#recipe.keepData,
    };
    writeFileSync(join(this.directory, recordFile), JSON.stringify(record));
  }
}
