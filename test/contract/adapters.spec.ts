import { globSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const root = resolve(import.meta.dirname, '../..');
const read = (pattern: string) =>
  globSync(pattern, { cwd: root })
    .filter((path) => !(path.startsWith('src') && path.endsWith('.spec.ts')))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));

/** A port may be in a subfolder of its module, such as `src/bus/schedule/schedule.port.ts`. */
const ports = new Set(
  read('src/*/**/*.port.ts').map(({ path }) => `${path.split('/')[1]} ${basename(path, '.port.ts')}`),
);
/** `src/bus/adapters/kafka/kafka.bus.ts` implements the port `bus`. Other files in that folder are parts of the adapter. */
const adapters = read('src/*/adapters/*/**/*.ts').flatMap(({ path, text }) => {
  const [, module = '', , technology = ''] = path.split('/');
  const [, port = ''] = basename(path, '.ts').split('.');
  const name = /export class (\w+)/.exec(text)?.[1];
  const isAdapter = ports.has(`${module} ${port}`);
  return isAdapter ? [{ path, module, technology, name: name ?? path }] : [];
});
const contractCallers = read('test/contract/**/*.spec.ts');
const contractOpeners = read('test/contract/**/*.open.ts');

describe('every adapter', () => {
  it('is found', () => {
    expect(adapters.length).toBeGreaterThan(20);
  });

  it.each(adapters)('$name is tested by its contract suite', (adapter) => {
    const files = namesOf(adapter).map((name) => `/${name}.js'`);
    const openers = contractOpeners
      .filter(({ text }) => files.some((file) => text.includes(file)))
      .map((opener) => `/${basename(opener.path, '.ts')}.js'`);
    const callers = contractCallers.filter(
      ({ text }) =>
        /from '[./\w-]+\.contract\.js'/.test(text) &&
        [...files, ...openers].some((name) => text.includes(name)),
    );
    expect(callers.map((caller) => caller.path)).not.toEqual([]);
  });

  it.each(adapters)('$name is used by a module', (adapter) => {
    const modules = read(`src/${adapter.module}/**/*.module.ts`).filter(({ text }) =>
      namesOf(adapter).some((name) => text.includes(`/${name}.js'`)),
    );
    expect(modules.map((each) => each.path)).not.toEqual([]);
  });
});

/** Returns the file of an adapter, and the files of the same technology that open it. */
function namesOf({ path, module, technology }: (typeof adapters)[number]): string[] {
  const name = basename(path, '.ts');
  const siblings = read(`src/${module}/adapters/${technology}/**/*.ts`).filter(({ text }) =>
    text.includes(`/${name}.js'`),
  );
  return [name, ...siblings.map((sibling) => basename(sibling.path, '.ts'))];
}
