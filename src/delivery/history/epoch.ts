import { randomBytes } from 'node:crypto';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** The number of letters in an epoch. */
export const EPOCH_LENGTH = 8;

/** Returns the name of a new history: about 45 random bits. */
export function newEpoch(): string {
  let epoch = '';
  for (const byte of randomBytes(EPOCH_LENGTH)) epoch += LETTERS[byte % LETTERS.length]!;
  return epoch;
}
