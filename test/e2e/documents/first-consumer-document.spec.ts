import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { describeWithOwn, type RunningBroker, startRedis } from '../../support/brokers.js';

const document = readFileSync(resolve('docs/first-consumer.md'), 'utf8');
const files = [...document.matchAll(/```ts (\S+)\n([^]*?)```/g)].map(([, name = '', text = '']) => ({
  name,
  text,
}));
/** The options of section 5: Redis, Kafka, Pulsar. */
const snippets = [...document.matchAll(/^BusModule\.forRoot\((\{[^]*?\n?\})\);$/gm)];
const [, expected = ''] = /```text\n([^]*?)```/.exec(document) ?? [];

/** Follows the page: writes its files and runs them as `npm run example` does, with the built program. */
describe('docs/first-consumer.md', () => {
  // The page uses the name `first`, which may exist.
  const name = `first-${randomUUID()}`;
  const directory = resolve('examples', name);

  beforeAll(() => {
    mkdirSync(directory);
    for (const { name: file, text } of files) writeFileSync(join(directory, file), text);
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  it('shows all files', () => {
    expect(files.map(({ name: file }) => file)).toEqual(['invoices.ts', 'app.module.ts', 'main.ts']);
  });

  it('shows the output of the program, which exits on Ctrl-C', async () => {
    const program = spawn(
      process.execPath,
      [`--import=${resolve('test/support/register-typescript.ts')}`, resolve('examples/run.ts'), name],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    const ended = once(program, 'exit');
    const lines: string[] = [];
    const expectedLines = expected.trim().split('\n');
    const output = createInterface(program.stdout);
    const printed = Promise.withResolvers<void>();
    output.on('line', (line) => {
      lines.push(line);
      if (lines.length === expectedLines.length) printed.resolve();
    });
    await Promise.race([printed.promise, ended]);
    program.kill('SIGINT');
    await ended;
    expect(lines.toSorted()).toEqual(expectedLines.toSorted());
    const at = (text: string) => lines.findIndex((line) => line.includes(text));
    expect(at('bea')).toBeLessThan(at('given up'));
    expect(at('given up')).toBeLessThan(at('invoice for bob'));
  });

  it('shows valid options', async () => {
    const { busOptions } = await import('../../../src/bus/index.js');
    expect(snippets).toHaveLength(3);
    for (const [, options = ''] of snippets) {
      const read = runInNewContext(`(${options})`) as unknown;
      expect(busOptions.safeParse(read).error).toBeUndefined();
    }
  });
});

/** One copy of the program of the page. */
class Copy {
  readonly lines: string[] = [];
  readonly ended: Promise<unknown[]>;
  readonly #program: ChildProcess;
  readonly #printed = new EventEmitter();

  constructor(name: string) {
    this.#program = spawn(
      process.execPath,
      [`--import=${resolve('test/support/register-typescript.ts')}`, resolve('examples/run.ts'), name],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    this.ended = once(this.#program, 'exit');
    createInterface(this.#program.stdout!).on('line', (line) => {
      this.lines.push(line);
      this.#printed.emit('line');
    });
  }

  async prints(line: string, times = 1): Promise<void> {
    while (this.lines.filter((each) => each === line).length < times)
      await Promise.race([
        once(this.#printed, 'line'),
        this.ended.then(() => Promise.reject(new Error(`the program ended:\n${this.lines.join('\n')}`))),
      ]);
  }

  /** Resolves with the signal: after its shutdown, a Nest application ends by the signal that it received. */
  async stop(): Promise<unknown> {
    this.#program.kill('SIGINT');
    const [, signal] = await this.ended;
    return signal;
  }
}

describeWithOwn('redis', 'docs/first-consumer.md, section 5', () => {
  const name = `first-${randomUUID()}`;
  const directory = resolve('examples', name);
  let redis: RunningBroker;
  beforeAll(async () => {
    redis = await startRedis();
    const [, options = ''] = snippets[0] ?? [];
    mkdirSync(directory);
    for (const { name: file, text } of files) {
      const changed = text.replace(/BusModule\.forRoot\(\{[^]*?\n {4}\}\)/, `BusModule.forRoot(${options})`);
      writeFileSync(join(directory, file), changed.replace('redis://localhost:6379', redis.url));
    }
  });
  afterAll(async () => {
    rmSync(directory, { recursive: true });
    await redis.dispose();
  });

  it('runs over Redis, runs again without an invoice for Kim, and runs in two copies', async () => {
    const first = new Copy(name);
    await first.prints('invoice for bob: 99 (attempt 1)');
    expect(first.lines.toSorted()).toEqual(expected.trim().split('\n').toSorted());
    expect(await first.stop()).toBe('SIGINT');

    const again = new Copy(name);
    await again.prints('invoice for bob: 99 (attempt 1)');
    expect(again.lines.filter((line) => line === 'sent before: true')).toHaveLength(2);
    expect(again.lines.join()).not.toContain('kim');

    const copy = new Copy(name);
    await copy.prints('sent before: true', 2);
    expect(await copy.stop()).toBe('SIGINT');
    expect(await again.stop()).toBe('SIGINT');
  });
});

describe('examples/live-tasks', () => {
  it('runs as a program', async () => {
    const program = spawn(
      process.execPath,
      [
        `--import=${resolve('test/support/register-typescript.ts')}`,
        resolve('examples/run.ts'),
        'live-tasks',
      ],
      { stdio: ['ignore', 'pipe', 'ignore'], env: { PATH: process.env['PATH'] } },
    );
    let output = '';
    program.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const [code] = (await once(program, 'exit')) as [number];
    expect(output).toContain('mei has done the daily task');
    expect(output).toContain(
      'given up: {"anchor":"nobody","income":null} (income must be a number, but is null)',
    );
    expect(code).toBe(0);
  });
});
