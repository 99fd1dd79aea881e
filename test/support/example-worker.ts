import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

/** `examples/worker.ts`, started as a user starts it. */
export class ExampleWorker {
  #output = '';
  #watcher: (() => void) | undefined;
  readonly #exited: Promise<unknown>;

  private constructor(private readonly child: ChildProcess) {
    this.#exited = once(child, 'exit');
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
        this.#watcher?.();
      });
  }

  static async start(env: Readonly<Record<string, string>>): Promise<ExampleWorker> {
    const script = resolve(import.meta.dirname, '../../examples/worker.ts');
    const worker = new ExampleWorker(
      spawn(process.execPath, [script], { env: { PATH: process.env['PATH'], ...env } }),
    );
    await Promise.race([
      worker.says('is ready'),
      worker.#exited.then(() => {
        throw new Error(`the worker exited before it was ready:\n${worker.#output}`);
      }),
    ]);
    return worker;
  }

  /** The records that its handler has received, as `partition key body`. */
  get handled(): string[] {
    return [...this.#output.matchAll(/^partition (\d+) {2}\S+ {2}(\S+) {2}(.*)$/gm)].map(
      ([, partition, key, body]) => `${partition} ${key} ${body}`,
    );
  }

  get partitions(): Set<string> {
    return partitionsOf(this.handled);
  }

  partitionsOf(body: string): Set<string> {
    return partitionsOf(this.handled.filter((each) => each.endsWith(` ${body}`)));
  }

  async says(text: string): Promise<void> {
    await this.until(() => this.#output.includes(text));
  }

  async until(fulfilled: () => boolean): Promise<void> {
    while (!fulfilled()) await new Promise<void>((wake) => (this.#watcher = wake));
  }

  async end(signal: NodeJS.Signals): Promise<unknown> {
    this.child.kill(signal);
    return this.#exited;
  }
}

function partitionsOf(handled: readonly string[]): Set<string> {
  return new Set(handled.map((each) => each.split(' ')[0] ?? ''));
}
