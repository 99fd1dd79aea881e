import { readFile } from 'node:fs/promises';
import { expect, it } from '@jest/globals';
import { replyErrors, unsubscribeReasons } from './centrifugo.errors.js';

/** The rows of a table of `docs/protocol.md`: code, words, and whether the client tries again. */
async function rowsUnder(title: string): Promise<unknown[]> {
  const document = await readFile(new URL('../../../../docs/protocol.md', import.meta.url), 'utf8');
  const [, section = ''] = document.split(`### ${title}\n`);
  const [table = ''] = section.split('\n###');
  return [...table.matchAll(/^\| +(\d+) +\| `([^`]+)` +\| (yes|no) +\|/gm)].map(([, code, words, again]) => [
    Number(code),
    words,
    again === 'yes',
  ]);
}

it('errors are those of the document', async () => {
  const all = Object.values(replyErrors).map((error) => [error.code, error.message, 'temporary' in error]);
  expect(await rowsUnder('Error codes')).toEqual(all);
});

it('ends of subscriptions are those of the document, and their range says whether to subscribe again', async () => {
  const all = Object.values(unsubscribeReasons).map(({ code, reason }) => [code, reason, code >= 2500]);
  expect(await rowsUnder('Unsubscribe codes')).toEqual(all);
});
