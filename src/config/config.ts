import { busSectionNames } from '../bus/index.js';
import { embeddedFaults } from './embedded-rules.js';
import { translateBusNames } from './bus-names.js';
import { channelOptionNames } from '../delivery/index.js';
import { translateCentrifugo } from './centrifugo/translate.js';
import { ConfigError } from './config.errors.js';
import { loadConfig, type Loaded, type LoadRequest } from './load.js';
import { renamedSettings } from './renamed-settings.js';
import { configSchema, type Config } from './schema.js';
import { wellKnownVariables } from './well-known.js';

export { configSchema, type Config } from './schema.js';

type Source = Pick<LoadRequest<typeof configSchema>, 'argv' | 'env' | 'given'>;

/**
 * Reads the configuration of this process.
 * @param argv the flags of the command line
 * @throws ConfigError with all faults
 */
export function readConfig(argv: readonly string[] = process.argv.slice(2)): Loaded<Config> {
  return load({ argv, env: process.env });
}

/**
 * Completes the options of an application that contains the server.
 *
 * @param given wins over the environment
 * @throws ConfigError with all faults, also for settings that only a process of its own can have
 */
export function readOptions(
  given: object,
  { fromEnvironment }: { readonly fromEnvironment: boolean },
): Loaded<Config> {
  const loaded = load({ argv: [], given, ...(fromEnvironment ? { env: process.env } : {}) });
  const faults = embeddedFaults(loaded.config);
  if (faults.length > 0) throw new ConfigError(faults, loaded.notices);
  return loaded;
}

function load(source: Source): Loaded<Config> {
  return loadConfig({
    ...source,
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
    cwd: process.cwd(),
  });
}
