import type { z } from 'zod';
import { readOptions } from '../config/config.js';
import type { Config, configSchema } from '../config/config.js';
import type { Loaded } from '../config/load.js';

/** The settings of the server, with the names of its configuration. See `docs/configuration.md`. */
export type CarillonOptions = z.input<typeof configSchema> & {
  /**
   * Reads the environment, the `.env` file and the configuration file that `CARILLON_CONFIG` names as the server does. Options that
   * are given here win. Default: false, and nothing but the options counts.
   */
  readonly fromEnvironment?: boolean;
};

/**
 * Completes and checks the options. The result is frozen.
 *
 * @throws ConfigError with all faults
 */
export function completeOptions({ fromEnvironment = false, ...given }: CarillonOptions): Loaded<Config> {
  return readOptions(given, { fromEnvironment });
}
