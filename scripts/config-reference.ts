// Writes docs/configuration.md from the schema of the built program: `npm run docs:config`.
import { writeFileSync } from 'node:fs';

/** Resolved at run time, because type checks run before the build. */
const built = (module: string): Promise<unknown> => import(`../dist/config/${module}.js`);

const { renderReference } = (await built('reference')) as typeof import('../src/config/reference.ts');
const { configSchema } = (await built('schema')) as typeof import('../src/config/schema.ts');
const { wellKnownVariables } = (await built('well-known')) as typeof import('../src/config/well-known.ts');
const { renamedSettings } = (await built(
  'renamed-settings',
)) as typeof import('../src/config/renamed-settings.ts');

writeFileSync('docs/configuration.md', renderReference(configSchema, wellKnownVariables, renamedSettings));
