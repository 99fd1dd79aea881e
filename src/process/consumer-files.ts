import { type ConsumerFiles, loadConsumerFiles, noConsumerFiles } from '../bus/index.js';
import { ConfigError } from '../config/config.errors.js';
import type { Config } from '../config/config.js';

/**
 * Loads the files with module consumers, if this process runs them.
 *
 * @throws {ConfigError} with every file that cannot be used
 */
export async function consumerFilesOf({ server, bus }: Config): Promise<ConsumerFiles> {
  if (!server.roles.includes('consumers')) return noConsumerFiles;
  const { files, faults } = await loadConsumerFiles(bus, process.cwd());
  if (faults.length > 0) throw new ConfigError(faults);
  return files;
}
