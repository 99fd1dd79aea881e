import { chmodSync, closeSync, constants, existsSync, lstatSync, mkdirSync, openSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Logger } from '@nestjs/common';
import { AdapterUnusableError } from '../errors.js';

const PRIVATE_DIRECTORY = 0o700;
const PRIVATE_FILE = 0o600;
/** Permissions of the group and of others. */
const OTHERS = 0o077;

/** SQLite gives the write-ahead log and the index of the shared memory the permissions of the database. */
const COMPANIONS = ['-wal', '-shm'];

const logger = new Logger('Sqlite');

/**
 * Creates a file and its directory if they do not exist, so that only the user of this process can read them: the stored messages
 * are not for others. Existing ones become private too, if they belong to the user.
 *
 * @throws {AdapterUnusableError} the directory or the file is a symbolic link, which another user may have planted
 */
export function makePrivate(path: string): void {
  const file = resolve(path);
  const directory = dirname(file);
  mkdirSync(directory, { recursive: true, mode: PRIVATE_DIRECTORY });
  // The working directory has other files, whose permissions are not ours to change.
  if (directory !== process.cwd()) restrict(directory, PRIVATE_DIRECTORY);
  for (const each of [file, ...COMPANIONS.map((suffix) => file + suffix)])
    if (lstatSync(each, { throwIfNoEntry: false }) !== undefined) restrict(each, PRIVATE_FILE);
  if (!existsSync(file))
    closeSync(openSync(file, constants.O_CREAT | constants.O_EXCL | constants.O_RDWR, PRIVATE_FILE));
}

function restrict(path: string, mode: number): void {
  const status = lstatSync(path);
  if (status.isSymbolicLink())
    throw new AdapterUnusableError(
      `${path} is a symbolic link, which is not followed: set the sqlite directory to its target`,
    );
  if ((status.mode & OTHERS) === 0 || status.uid !== process.getuid?.()) return;
  chmodSync(path, mode);
  logger.log(`${path}: removed the permissions of other users`);
}
