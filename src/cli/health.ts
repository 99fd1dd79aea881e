import { readConfig } from '../config/config.js';
import { localUrl } from '../process/listening-on.js';
import { CommandError } from './cli.errors.js';

const TIMEOUT_MS = 4_000;

/** `carillon health`: checks whether the server that runs on this machine with the same configuration is ready. */
export async function health(argv: readonly string[]): Promise<void> {
  const { host, port } = readConfig(argv).config.server;
  const url = `${localUrl(host, port)}/health/ready`;
  const status = await statusOf(url);
  if (status !== 200) throw new CommandError(`${url} returned ${status}: the server is not ready`);
  process.stdout.write('the server is ready\n');
}

async function statusOf(url: string): Promise<number> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) })).status;
  } catch (cause) {
    throw new CommandError(`${url} cannot be reached: the server does not run here, or listens elsewhere`, {
      cause,
    });
  }
}
