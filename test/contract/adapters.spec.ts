import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const root = resolve(import.meta.dirname, '../..');
const read = (pattern: string) =>
  globSync(pattern, { cwd: root, exclude: ['**/adapters/*.spec.ts'] }).map((path) => ({
    path,
    text: readFileSync(join(root, path), 'utf8'),
  }));

// `src/bus/adapters/kafka.bus.ts` implements `src/bus/bus.port.ts`; what else lies in `adapters` is a part of such a file.
const ports = new Set(read('src/*/*.port.ts').map(({ path }) => path.replace(/\.port\.ts$/, '')));
const adapters = read('src/*/adapters/*.ts').flatMap(({ path, text }) => {
  const [, port] = basename(path, '.ts').split('.');
  const module = dirname(dirname(path));
  const name = /export class (\w+)/.exec(text)?.[1];
  return port !== undefined && ports.has(join(module, port)) ? [{ path, module, name: name ?? path }] : [];
});
const contractCallers = read('test/contract/*.spec.ts');
const contractOpeners = read('test/contract/*.open.ts');

describe('every adapter', () => {
  it('is found', () => {
    expect(adapters.length).toBeGreaterThan(0);
  });

  it.each(adapters)('$name has a caller of its contract suite', ({ path, module }) => {
    const files = namesOf(path, module).map((name) => `/${name}.js'`);
    const openers = contractOpeners
      .filter(({ text }) => files.some((file) => text.includes(file)))
      .map((opener) => `/${basename(opener.path, '.ts')}.js'`);
    const callers = contractCallers.filter(
      ({ text }) =>
        /from '\.\/[\w.-]+\.contract\.js'/.test(text) &&
        [...files, ...openers].some((name) => text.includes(name)),
    );
    expect(callers.map((caller) => caller.path)).not.toEqual([]);
  });

  it.each(adapters)('$name is named by a module', ({ path, module }) => {
    const modules = read(`${module}/*.module.ts`).filter(({ text }) =>
      namesOf(path, module).some((name) => text.includes(`./adapters/${name}.js'`)),
    );
    expect(modules.map((each) => each.path)).not.toEqual([]);
  });
});

/** The file of an adapter, and the files of its technology that open it together with others. */
function namesOf(path: string, module: string): string[] {
  const name = basename(path, '.ts');
  const [technology] = name.split('.');
  const siblings = read(`${module}/adapters/${technology}.*.ts`).filter(({ text }) =>
    text.includes(`'./${name}.js'`),
  );
  return [name, ...siblings.map((sibling) => basename(sibling.path, '.ts'))];
}
