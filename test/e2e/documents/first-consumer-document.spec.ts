import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const document = readFileSync(resolve('docs/first-consumer.md'), 'utf8');
const files = [...document.matchAll(/```ts (\S+)\n([^]*?)```/g)].map(([, name = '', text = '']) => ({
  name,
  text,
}));
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
    const snippets = [...document.matchAll(/^BusModule\.forRoot\((\{.*\})\);$/gm)];
    expect(snippets).toHaveLength(3);
    for (const [, options = ''] of snippets) {
      const read = runInNewContext(`(${options})`) as unknown;
      expect(busOptions.safeParse(read).error).toBeUndefined();
    }
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
