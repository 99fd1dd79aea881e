import { translateCentrifugo } from './centrifugo/translate.js';
import { loadConfig, type Loaded } from './load.js';
import { configSchema, type Config } from './schema.js';
import { wellKnownVariables } from './well-known.js';

export type { Config } from './schema.js';

/**
 * The configuration of this process.
 * @throws ConfigError with every fault at once
 */
export function readConfig(): Loaded<Config> {
  return loadConfig({
    schema: configSchema,
    wellKnown: wellKnownVariables,
    translate: translateCentrifugo,
    argv: process.argv.slice(2),
    env: process.env,
    cwd: process.cwd(),
  });
}
