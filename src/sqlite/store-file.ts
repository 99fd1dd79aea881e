import { statSync } from 'node:fs';
import { MEMORY } from './sqlite.options.js';

/**
 * Tells whether the file of an open database is still at its path. After somebody deleted or replaced it, SQLite would write to a
 * file without a name, which is gone when the process ends.
 */
export class StoreFile {
  readonly #inode: number | undefined;

  /** @param path of a database that is open, or `:memory:` */
  constructor(private readonly path: string) {
    this.#inode = inodeOf(path);
  }

  /** What is wrong and what to do, or undefined if the file is there. */
  get fault(): string | undefined {
    if (this.path === MEMORY || inodeOf(this.path) === this.#inode) return undefined;
    return (
      `${this.path} was deleted or replaced while it is in use, so nothing more can be stored: move the file back if you still ` +
      'have it, or restart the process to begin with what is at this path now'
    );
  }
}

function inodeOf(path: string): number | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })?.ino;
  } catch {
    return undefined;
  }
}
