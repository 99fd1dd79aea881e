import { busSectionNames } from '../bus/index.js';
import { translateBusNames } from './bus-names.js';
import { channelOptionNames } from '../delivery/index.js';
import { translateCentrifugo } from './centrifugo/translate.js';
import { loadConfig, type Loaded } from './load.js';
import { renamedSettings } from './renamed-settings.js';
import { configSchema, type Config } from './schema.js';
import { wellKnownVariables } from './well-known.js';

export type { Config } from './schema.js';

/**
 * Reads the configuration of this process.
 * @param argv the flags of the command line
 * @throws ConfigError with all faults
 */
export function readConfig(argv: readonly string[] = process.argv.slice(2)): Loaded<Config> {
  return loadConfig({
    schema: configSchema,
    wellKnown: wellKnownVariables,
    renamed: renamedSettings,
    // A typing error in a namespace can open what should be closed.
    strictSections: {
      'delivery.channels.withoutNamespace': channelOptionNames,
      'delivery.channels.namespaces': ['name', ...channelOptionNames],
      // Nothing else would say that a setting of a consumer has no effect.
      'bus.modules': busSectionNames,
      'bus.producers': busSectionNames,
      'bus.redisPools': [],
    },
    translate: translateCentrifugo,
    normalize: translateBusNames,
    argv,
    env: process.env,
    cwd: process.cwd(),
  });
}
