import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AdapterUnusableError } from '../errors.js';
import { openDatabase } from './database.js';

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

describe('the files of the embedded stores', () => {
  let parent: string;
  let directory: string;
  let path: string;
  const open = () => openDatabase({ path, synchronous: 'normal' }, ['CREATE TABLE t (a)']);

  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'carillon-private-'));
    directory = join(parent, 'data');
    path = join(directory, 'store.db');
  });
  afterEach(() => rmSync(parent, { recursive: true }));

  it('can be read by the user of the process only', () => {
    const database = open();
    expect([directory, path, `${path}-wal`].map(modeOf)).toEqual(['700', '600', '600']);
    database.close();
  });

  it('lose the permissions that an earlier version gave to others', () => {
    open().close();
    chmodSync(directory, 0o755);
    chmodSync(path, 0o644);
    open().close();
    expect([directory, path].map(modeOf)).toEqual(['700', '600']);
  });

  it('are not opened through a symbolic link to a file', () => {
    mkdirSync(directory);
    writeFileSync(join(parent, 'target'), '');
    symlinkSync(join(parent, 'target'), path);
    expect(open).toThrow(AdapterUnusableError);
    expect(open).toThrow(/symbolic link/);
    expect(statSync(join(parent, 'target')).size).toBe(0);
  });

  it('are not opened through a symbolic link to a directory, or to a file that does not exist', () => {
    mkdirSync(join(parent, 'elsewhere'));
    symlinkSync(join(parent, 'elsewhere'), directory);
    expect(open).toThrow(/symbolic link/);
    rmSync(directory);
    mkdirSync(directory);
    symlinkSync(join(parent, 'absent'), path);
    expect(open).toThrow(/symbolic link/);
  });
});
