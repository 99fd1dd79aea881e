import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BrokerStatus } from '../../../metrics/index.js';
import { SqliteRegistry } from './sqlite.registry.js';

let directory: string;

beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'carillon-registry-'))));
afterEach(() => rmSync(directory, { recursive: true }));

const open = (): SqliteRegistry =>
  new SqliteRegistry(
    { path: join(directory, 'connections.db'), synchronous: 'normal' },
    () => new BrokerStatus('sqlite'),
  );

describe('SqliteRegistry', () => {
  it('has only the cleanups of the connections of a process that has ended', async () => {
    const connection = { id: '1', route: 'chat', node: 'a', connectedAt: 1, details: Buffer.from('{}') };
    const before = open();
    await before.renew('a', 60_000);
    await before.add(connection);
    expect(await before.count()).toBe(1);
    await before.close();

    const after = open();
    expect([await after.count(), await after.find('1'), await after.list({ limit: 10 })]).toEqual([
      0,
      undefined,
      [],
    ]);
    await after.renew('b', 60_000);
    expect(await after.claimOrphans('b', 10)).toEqual([connection]);
    await after.close();
  });
});
