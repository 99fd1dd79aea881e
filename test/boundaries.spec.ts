/**
 * Checks that the sources keep the rules of dependency-cruiser.cjs and .oxlintrc.json, and that every rule detects a
 * violation. A rule that reads no file, or has no type information, would pass too. The violations are in a copy of the
 * project.
 */
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const project = resolve(import.meta.dirname, '..');
const configurations = ['package.json', 'tsconfig.json', 'dependency-cruiser.cjs', '.oxlintrc.json'];

interface Rule {
  readonly name: string;
  readonly to: { readonly path?: string; readonly pathNot?: string };
}
const { forbidden: rules } = createRequire(import.meta.url)('../dependency-cruiser.cjs') as {
  forbidden: Rule[];
};
const prefix = 'direction-';
const modules = rules.flatMap(({ name }) => (name.startsWith(prefix) ? [name.slice(prefix.length)] : []));

/** For each rule, files that violate it: their text by path. */
const violations: Record<string, Record<string, string>> = {
  ...Object.fromEntries(modules.map((from) => [prefix + from, wrongDirection(from)])),
  'no-cycles': {
    'src/metrics/planted-one.ts': "import './planted-other.js';",
    'src/metrics/planted-other.ts': "import './planted-one.js';",
  },
  'enter-modules-through-index': {
    'src/delivery/planted-importer.ts': "import '../bus/planted-internal.js';",
  },
  'root-enters-modules-through-index': { 'src/planted-importer.ts': "import './bus/planted-internal.js';" },
  'modules-do-not-import-the-root': { 'src/bus/planted-importer-of-root.ts': "import '../planted-root.js';" },
  'only-modules-import-adapters': {
    'src/bus/planted-user.ts': "import './adapters/planted/planted.bus.js';",
  },
  'adapters-do-not-import-each-other': {
    'src/bus/adapters/planted/planted.bus.ts': "import type {} from '../other/other.bus.js';",
    'src/bus/adapters/other/other.bus.ts': '',
  },
  'gateway-does-not-import-protocols': {
    'src/gateway/planted-importer.ts': "import type {} from './protocols/planted/index.js';",
    'src/gateway/protocols/planted/index.ts': '',
  },
  'protocols-do-not-import-each-other': {
    'src/gateway/protocols/planted/planted.ts': "import type {} from '../other/other.js';",
    'src/gateway/protocols/other/other.ts': '',
  },
  'client-libraries-only-in-adapters': {
    'src/bus/planted-client.ts': "import type { Kafka } from 'kafkajs';",
  },
  'sources-do-not-import-tests': { 'src/bus/planted-test-user.ts': "import '../../test/planted-helper.js';" },
};
/** Files that the violations import. */
const importedFiles: Record<string, string> = {
  'src/bus/planted-internal.ts': '',
  'src/planted-root.ts': '',
  'test/planted-helper.ts': '',
};

function wrongDirection(from: string): Record<string, string> {
  const { to } = rules.find(({ name }) => name === prefix + from) as Rule;
  const target = modules.find((name) => !new RegExp(to.pathNot ?? '').test(`src/${name}/`));
  return { [`src/${from}/planted-${from}.ts`]: `import '../${target}/index.js';` };
}

async function run(directory: string, program: string, ...args: string[]): Promise<unknown> {
  const script = join(project, 'node_modules', program);
  const command = promisify(execFile)(process.execPath, [script, ...args], {
    cwd: directory,
    maxBuffer: 2 ** 28,
  });
  const { stdout } = await command.catch((failed: { stdout: string }) => failed);
  return JSON.parse(stdout);
}

interface Cruise {
  readonly summary: {
    readonly totalCruised: number;
    readonly violations: readonly { readonly rule: { readonly name: string }; from: string; to: string }[];
  };
}

async function cruise(directory: string): Promise<Cruise['summary']> {
  const args = ['src', '--config', 'dependency-cruiser.cjs', '--output-type', 'json'];
  const result = await run(directory, 'dependency-cruiser/bin/dependency-cruise.mjs', ...args);
  return (result as Cruise).summary;
}

async function lint(directory: string, file: string): Promise<string[]> {
  const result = await run(directory, 'oxlint/bin/oxlint', '--format', 'json', file);
  return (result as { diagnostics: { code: string }[] }).diagnostics.map(({ code }) => code);
}

describe('Boundaries', () => {
  let copy: string;
  const plant = (files: Record<string, string>) => {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(copy, path)), { recursive: true });
      writeFileSync(join(copy, path), `${text}\nexport const planted = true;\n`);
    }
  };

  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), 'carillon-boundaries-'));
    for (const entry of ['src', ...configurations])
      cpSync(join(project, entry), join(copy, entry), { recursive: true });
    symlinkSync(join(project, 'node_modules'), join(copy, 'node_modules'));
  });
  afterAll(() => rmSync(copy, { recursive: true }));

  it('are not violated by the sources', async () => {
    const { violations: found, totalCruised } = await cruise(project);
    expect(found.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`)).toEqual([]);
    expect(totalCruised).toBeGreaterThan(50);
  });

  it('are all detected when violated', async () => {
    for (const name of modules.filter((module) => !existsSync(join(copy, 'src', module, 'index.ts')))) {
      plant({ [`src/${name}/index.ts`]: '' });
    }
    plant(importedFiles);
    for (const files of Object.values(violations)) plant(files);

    const { violations: found } = await cruise(copy);
    const planted = found.filter(({ from }) => from.includes('planted'));
    for (const { name } of rules) {
      const sources = planted.filter(({ rule }) => rule.name === name).map(({ from }) => from);
      expect({ name, sources }).toEqual({
        name,
        sources: expect.arrayContaining([Object.keys(violations[name] ?? {})[0]]),
      });
    }
  });

  it.each([
    ['typescript(no-floating-promises)', 'export function leak(): void {\n  Promise.resolve();\n}'],
    ['typescript(no-misused-promises)', "process.on('exit', async () => Promise.resolve());"],
    ['typescript(no-explicit-any)', 'export const vague: any = 1;'],
    ['eslint(no-restricted-globals)', 'setInterval(() => {}, 1_000).unref();'],
    ['node(no-process-env)', 'export const home = process.env.HOME;'],
    ['import(no-cycle)', "export { again } from './planted-cycle.js';"],
  ])('of the linter: %s is detected when violated', async (code, text) => {
    plant({
      'src/planted-lint.ts': text,
      'src/planted-cycle.ts': "export { planted as again } from './planted-lint.js';",
    });
    expect(await lint(copy, 'src/planted-lint.ts')).toContain(code);
  });
});
