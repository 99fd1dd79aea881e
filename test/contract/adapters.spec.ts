import { globSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const root = resolve(import.meta.dirname, '../..');
const read = (pattern: string) =>
  globSync(pattern, { cwd: root })
    .filter((path) => !(path.startsWith('src') && path.endsWith('.spec.ts')))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));

/** Modules may keep a port in a subfolder, as `src/bus/schedule/schedule.port.ts`. */
const ports = new Set(
  read('src/*/**/*.port.ts').map(({ path }) => `${path.split('/')[1]} ${basename(path, '.port.ts')}`),
);
/** `src/bus/adapters/kafka/kafka.bus.ts` implements the port `bus`; other files of the folder are parts of such an adapter. */
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

  it.each(adapters)('$name has a caller of its contract suite', (adapter) => {
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

  it.each(adapters)('$name is named by a module', (adapter) => {
    const modules = read(`src/${adapter.module}/**/*.module.ts`).filter(({ text }) =>
      namesOf(adapter).some((name) => text.includes(`/${name}.js'`)),
    );
    expect(modules.map((each) => each.path)).not.toEqual([]);
  });
});

/** The file of an adapter, and the files of its technology that open it together with others. */
function namesOf({ path, module, technology }: (typeof adapters)[number]): string[] {
  const name = basename(path, '.ts');
  const siblings = read(`src/${module}/adapters/${technology}/**/*.ts`).filter(({ text }) =>
    text.includes(`/${name}.js'`),
  );
  return [name, ...siblings.map((sibling) => basename(sibling.path, '.ts'))];
}
