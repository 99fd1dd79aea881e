import { randomInt } from 'node:crypto';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** The number of letters in an epoch. */
export const EPOCH_LENGTH = 8;

/** A name for a new history: about 45 random bits. */
export function newEpoch(): string {
  return Array.from({ length: EPOCH_LENGTH }, () => LETTERS[randomInt(LETTERS.length)]).join('');
}
