import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import type { BrokerKind } from './broker.ts';
import { whenOwnerEnds } from './owned-process.ts';

const run = promisify(execFile);
const composeFile = resolve(import.meta.dirname, '../../compose.yaml');

export async function isDockerAvailable(): Promise<boolean> {
  try {
    await run('docker', ['info'], { timeout: 3_000 });
    await run('docker', ['compose', 'version'], { timeout: 3_000 });
    return true;
  } catch {
    return false;
  }
}

export interface Ports {
  readonly port: number;
  /** Pulsar's admin and WebSocket APIs. */
  readonly webPort: number;
}

/**
 * Starts one service of compose.yaml under its own project name, so that it does not affect containers that a user has
 * started. Returns a function that removes it. It is also removed if this process is killed.
 */
export async function composeUp(kind: BrokerKind, { port, webPort }: Ports): Promise<() => Promise<void>> {
  const compose = ['compose', '--file', composeFile, '--project-name', `carillon-${kind}-${port}`];
  const down = [...compose, 'down', '--volumes', '--timeout', '5'];
  const ports = {
    kafka: { KAFKA_PORT: String(port) },
    pulsar: { PULSAR_PORT: String(port), PULSAR_WEB_PORT: String(webPort) },
    redis: { REDIS_PORT: String(port) },
  }[kind];
  const release = whenOwnerEnds(['docker', ...down]);
  const remove = async () => {
    await run('docker', down);
    release();
  };
  try {
    const env = { ...process.env, ...ports };
    await run('docker', [...compose, 'up', '--wait', '--wait-timeout', '300', kind], { env });
    return remove;
  } catch (error) {
    await remove();
    throw new Error(`docker compose cannot start ${kind}`, { cause: error });
  }
}
