import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { runDirectory } from './cache.ts';
import { recordFile, type RunRecord } from './local-broker.ts';
import { processIdentity } from './process-identity.ts';

const patienceMs = 20_000;

/**
 * Ends brokers whose owner is gone and removes their data; brokers of a living owner are left alone.
 * Returns the names of those that it ended or cleared away.
 */
export async function clearLeftovers(): Promise<string[]> {
  const runs = readdirSync(runDirectory()).map((name) => ({ name, directory: join(runDirectory(), name) }));
  const cleared = await Promise.all(
    runs.map(async ({ name, directory }) => {
      const record = readRecord(directory);
      if (record === undefined || isAlive(record.owner, record.ownerIdentity)) return [];
      const ran = await end(record);
      if (!record.keepData) rmSync(directory, { recursive: true, force: true });
      return ran || !record.keepData ? [name] : [];
    }),
  );
  return cleared.flat();
}

function readRecord(directory: string): RunRecord | undefined {
  try {
    return JSON.parse(readFileSync(join(directory, recordFile), 'utf8')) as RunRecord;
  } catch {
    return undefined; // being started by somebody right now
  }
}

/** By its start time as well as its pid, which may belong to somebody else by now. */
function isAlive(pid: number, identity: string | undefined): boolean {
  return identity !== undefined && processIdentity(pid) === identity;
}

async function end({ pid, identity }: RunRecord): Promise<boolean> {
  if (!isAlive(pid, identity)) return false;
  process.kill(pid, 'SIGTERM');
  const deadline = Date.now() + patienceMs;
  while (isAlive(pid, identity) && Date.now() < deadline) await delay(50);
  if (isAlive(pid, identity)) process.kill(pid, 'SIGKILL');
  return true;
}
