import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isInstalled } from '../../scripts/brokers/cache.ts';

/** Kept between runs. Every entry is complete. Its name has a digest of everything that it was made from. */
export const cache = join(tmpdir(), 'carillon-clients');

/** Returns why libraries that need this program cannot be prepared on this machine, or undefined if they can. */
export function obstacleOf(program: string): string | undefined {
  // Without one of these variables, a test run downloads nothing.
  const allowed = [process.env['CARILLON_BROKERS'], process.env['CARILLON_REQUIRE_BROKERS']].includes('1');
  if (!allowed) return 'libraries are not downloaded unless CARILLON_BROKERS=1';
  return isInstalled(program) ? undefined : `${program} is not installed`;
}

/**
 * Returns the path of the result of `make`. Calls `make` only if there is no result for these ingredients yet. The result
 * is renamed when it is complete, because another process may make the same one at the same time.
 */
export async function prepared(
  name: string,
  ingredients: readonly string[],
  make: (target: string) => Promise<unknown>,
): Promise<string> {
  const digest = createHash('sha256').update(ingredients.join('\0')).digest('hex').slice(0, 16);
  const path = join(cache, `${name}-${digest}`);
  if (existsSync(path)) return path;
  mkdirSync(cache, { recursive: true });
  const partial = `${path}.${randomUUID()}`;
  try {
    await withRetries(() => make(partial));
    await rename(partial, path).catch((error: unknown) => {
      if (!existsSync(path)) throw error;
    });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return path;
}

/** Downloads fail occasionally. */
async function withRetries(attempt: () => Promise<unknown>, attempts = 3): Promise<void> {
  for (let made = 1; ; made++) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (made === attempts) throw error;
      await delay(made * 2_000);
    }
  }
}
