import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { renamedSettings } from './renamed-settings.js';
import { renderReference } from './reference.js';
import { configSchema } from './schema.js';
import { settingsOf } from './settings.js';
import { wellKnownVariables } from './well-known.js';

const settings = settingsOf(configSchema);

describe('the configuration reference', () => {
  it('matches the schema; if not, run npm run docs:config', () => {
    expect(readFileSync('docs/configuration.md', 'utf8')).toBe(
      renderReference(configSchema, wellKnownVariables, renamedSettings),
    );
  });

  it('describes every setting', () => {
    expect(settings.filter(({ description }) => description === '').map(({ key }) => key)).toEqual([]);
  });

  it('gives each setting its own variable', () => {
    expect(new Set(settings.map(({ variable }) => variable)).size).toBe(settings.length);
  });

  it('contains every setting that a well-known variable sets or implies', () => {
    const keys = new Set(settings.map(({ key }) => key));
    const named = Object.values(wellKnownVariables).flatMap(({ sets, implies = {} }) => [
      ...sets,
      ...Object.keys(implies),
    ]);
    expect(named.filter((key) => !keys.has(key))).toEqual([]);
  });

  it('renames settings only to names that exist, and only from names that no setting has', () => {
    const keys = settings.map(({ key }) => `${key}.`);
    const isName = (name: string) => keys.some((key) => key.startsWith(`${name}.`));
    expect(Object.values(renamedSettings).filter((present) => !isName(present))).toEqual([]);
    expect(Object.keys(renamedSettings).filter(isName)).toEqual([]);
  });
});
