import { join } from 'node:path';
import { z } from 'zod';

/** The embedded stores: local files that only this process writes. */
export const sqliteDriverOptions = z.strictObject({
  directory: z
    .string()
    .min(1)
    .default('data')
    .describe(
      'Directory of the files. It is created if it does not exist. Each process needs its own. `:memory:` stores nothing.',
    ),
  synchronous: z
    .enum(['normal', 'full'])
    .default('normal')
    .describe(
      'What a completed write survives: `normal` a crash of the process, `full` also a loss of power. `full` costs one disk ' +
        'flush per batch of writes.',
    ),
});

export type SqliteDriverOptions = z.infer<typeof sqliteDriverOptions>;

/** The file of one store. */
export interface SqliteFile {
  /** The path of the file, or `:memory:`. */
  readonly path: string;
  readonly synchronous: SqliteDriverOptions['synchronous'];
}

/** Returns the file of a store, for example `data/schedule.db` for `schedule`. */
export function sqliteFile({ directory, synchronous }: SqliteDriverOptions, name: string): SqliteFile {
  return { path: directory === MEMORY ? MEMORY : join(directory, `${name}.db`), synchronous };
}

export const MEMORY = ':memory:';
