/** Checks that the files, headings, scripts, settings and folders that the documents name exist. */
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { busOptions } from '../src/bus/index.js';
import { configSchema } from '../src/config/schema.js';
import { renamedSettings } from '../src/config/renamed-settings.js';
import { settingsOf } from '../src/config/settings.js';
import { consumerDefaults } from '../src/bus/consumers/consumer.options.js';

const root = resolve(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const documents = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`),
  ...globSync('examples/*/README.md', { cwd: root }),
];

/** Returns the anchors of a document's headings, as GitHub generates them. */
function anchorsOf(text: string): Set<string> {
  const headings = text.replaceAll(/```[^]*?```/g, '').matchAll(/^#+ (.*)$/gm);
  return new Set(
    headings.map(([, title = '']) =>
      title
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    ),
  );
}

describe.each(documents)('%s', (document) => {
  const text = read(document);

  it('links to files and headings that exist', () => {
    const links = text.matchAll(/\]\((?!https?:)([^)#]*)#?([^)]*)\)/g);
    const broken = links.filter(([, path = '', anchor = '']) => {
      const target = path === '' ? document : join(dirname(document), path);
      if (!existsSync(join(root, target))) return true;
      return anchor !== '' && !anchorsOf(read(target)).has(anchor);
    });
    expect(broken.map(([link]) => link).toArray()).toEqual([]);
  });

  it('names npm scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = text.matchAll(/npm run ([\w:]+)/g).map(([, name = '']) => name);
    expect(named.filter((name) => !(name in scripts)).toArray()).toEqual([]);
  });

  it('names settings that exist', () => {
    const keys = [...settingsOf(configSchema).map(({ key }) => key), ...Object.keys(renamedSettings)];
    const named = text.matchAll(/`((?:server|gateway|trigger|delivery|bus|metrics|webhooks)\.[\w.]+)`/g);
    const unknown = named.filter(([, name = '']) => {
      // In the documentation, a word in capitals is a placeholder.
      const [known = ''] = name.split(/\.[A-Z]+\b/);
      return !keys.some((key) => `${key}.`.startsWith(`${known}.`));
    });
    expect(unknown.map(([name]) => name).toArray()).toEqual([]);
  });
});

describe('CONTRIBUTING.md', () => {
  it('lists every folder of src', () => {
    const [, section = ''] = read('CONTRIBUTING.md').split('## Find your way\n');
    const [table = ''] = section.split('\n\n| file ');
    const listed = table.matchAll(/^\| `([\w-]+)` /gm).map(([, name = '']) => name);
    const folders = readdirSync(join(root, 'src'), { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    expect([...listed].toSorted()).toEqual(folders.map(({ name }) => name).toSorted());
  });
});

describe('docs/consumers.md', () => {
  const text = read('docs/consumers.md');

  it('lists every setting of a consumer with its default', () => {
    const [, table = ''] = /\n## Settings\n[^]*?(\n\|[^]*?)\n\n/.exec(text) ?? [];
    const rows = table.matchAll(/^\| `(\w+)` +\| *([^ |]*)/gm).map(([, name = '', value]) => [name, value]);
    const { driver, ...listed } = Object.fromEntries(rows) as Record<string, string>;
    expect(driver).toBe('');
    const defaults = Object.entries(consumerDefaults.parse(undefined)).map(([name, value]) => [
      name,
      value.toLocaleString('en-US'),
    ]);
    expect(listed).toEqual(Object.fromEntries(defaults));
  });

  it('shows a valid configuration', () => {
    const [, example = ''] = /```json\n([^]*?)```/.exec(text) ?? [];
    const { bus } = JSON.parse(example) as { bus: unknown };
    expect(busOptions.safeParse(bus).error).toBeUndefined();
  });
});
