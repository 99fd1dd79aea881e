import { join } from 'node:path';
import { z } from 'zod';

/** The embedded store: files beside the process, written by this process alone. */
export const sqliteDriverOptions = z.strictObject({
  directory: z
    .string()
    .min(1)
    .default('data')
    .describe(
      'Directory of the files, created if absent. Each process needs one of its own. `:memory:` keeps nothing.',
    ),
  synchronous: z
    .enum(['normal', 'full'])
    .default('normal')
    .describe(
      'What an answered call survives: with `normal` the death of the process, with `full` also the loss of power, ' +
        'for one disk flush per batch of calls.',
    ),
});

export type SqliteDriverOptions = z.infer<typeof sqliteDriverOptions>;

/** One store among those of the driver, as an adapter opens it. */
export interface SqliteFile {
  /** Path of the file, or `:memory:`. */
  readonly path: string;
  readonly synchronous: SqliteDriverOptions['synchronous'];
}

/** The file of the store called `name`: `schedule` is `data/schedule.db`. */
export function sqliteFile({ directory, synchronous }: SqliteDriverOptions, name: string): SqliteFile {
  return { path: directory === MEMORY ? MEMORY : join(directory, `${name}.db`), synchronous };
}

export const MEMORY = ':memory:';
