import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { closeCodes } from './close-codes.js';

describe('closeCodes', () => {
  const all = Object.values(closeCodes);

  it.each(all)('$code "$reason" fits a close frame and its range', ({ code, reason, reconnect }) => {
    expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123);
    expect(reconnect).toBe(code < 3500);
  });

  it('are all different', () => {
    expect(new Set(all.map(({ code }) => code)).size).toBe(all.length);
  });

  it('are those of docs/protocol.md', async () => {
    const document = await readFile(new URL('../../../../docs/protocol.md', import.meta.url), 'utf8');
    const section = document.split('## Close codes')[1] ?? '';
    const rows = [...section.matchAll(/^\| +(3\d{3}) +\| `([^`]+)` +\| (yes|no) +\|/gm)];
    expect(
      rows.map(([, code, reason, again]) => ({ code: Number(code), reason, reconnect: again === 'yes' })),
    ).toEqual(all);
  });
});
