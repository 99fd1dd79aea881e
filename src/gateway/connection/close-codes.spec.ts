import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { closeCodeLabel, closeCodes, codeOfProtocolFault } from './close-codes.js';

describe('closeCodes', () => {
  const all = Object.values(closeCodes);

  it.each(all)('$code "$reason" fits a close frame and its range', ({ code, reason, reconnect }) => {
    expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123);
    expect(reconnect).toBe(code < 3500);
  });

  it('are each their own', () => {
    expect(new Set(all.map(({ code }) => code)).size).toBe(all.length);
  });

  it('are those of the document', async () => {
    const document = await readFile(new URL('../../../docs/protocol.md', import.meta.url), 'utf8');
    const section = document.split('## Close codes')[1] ?? '';
    const rows = [...section.matchAll(/^\| +(3\d{3}) +\| `([^`]+)` +\| (yes|no) +\|/gm)];
    expect(
      rows.map(([, code, reason, again]) => ({ code: Number(code), reason, reconnect: again === 'yes' })),
    ).toEqual(all);
  });
});

describe('closeCodeLabel', () => {
  it('keeps the numbers that a client makes up out of the metrics', () => {
    expect(closeCodeLabel(3008)).toBe('3008');
    expect(closeCodeLabel(1006)).toBe('1006');
    expect(closeCodeLabel(4711)).toBe('other');
  });
});

describe('codeOfProtocolFault', () => {
  it('knows the codes that the WebSocket layer closes with', () => {
    expect(codeOfProtocolFault(Object.assign(new Error(), { code: 'WS_ERR_INVALID_UTF8' }))).toBe(1007);
    expect(codeOfProtocolFault(Object.assign(new Error(), { code: 'WS_ERR_EXPECTED_MASK' }))).toBe(1002);
    expect(codeOfProtocolFault(new Error())).toBe(1002);
  });
});
