import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isInstalled } from '../../scripts/brokers/cache.ts';

/** Kept between runs; what lies in it is complete, and named after all that it was made from. */
export const cache = join(tmpdir(), 'carillon-clients');

/** Why nothing that needs this program can be prepared here; undefined where it can. */
export function obstacleOf(program: string): string | undefined {
  // A plain test run downloads nothing that nobody asked for.
  const allowed = [process.env['CARILLON_BROKERS'], process.env['CARILLON_REQUIRE_BROKERS']].includes('1');
  if (!allowed) return 'libraries are not downloaded unless CARILLON_BROKERS=1';
  return isInstalled(program) ? undefined : `${program} is not installed`;
}

/** The path of what `make` makes, renamed when complete: another process may be at the same work. */
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
    await retried(() => make(partial));
    await rename(partial, path).catch((error: unknown) => {
      if (!existsSync(path)) throw error;
    });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return path;
}

/** Downloads fail at times. */
async function retried(attempt: () => Promise<unknown>, attempts = 3): Promise<void> {
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
