/** Runs the code of docs/webhooks.md against the signatures of the server. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { Signer } from '../src/webhooks/signature.js';

const SECRET = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;
const OTHER = `whsec_${Buffer.alloc(32, 6).toString('base64')}`;

type IsSigned = (headers: Readonly<Record<string, string>>, body: Buffer, secret: string) => boolean;

describe('The verification of docs/webhooks.md', () => {
  const directory = mkdtempSync(join(tmpdir(), 'carillon-document-'));
  const [, code = ''] = /```js\n([^]*?)```/.exec(readFileSync('docs/webhooks.md', 'utf8')) ?? [];
  const file = join(directory, 'verify.mjs');
  writeFileSync(file, code);
  afterAll(() => rmSync(directory, { recursive: true }));

  const body = Buffer.from('{"channel":"news"}');
  const now = Math.floor(Date.now() / 1_000);
  const sign = (secrets: readonly string[], seconds = now) => ({
    ...new Signer(secrets).sign('id', seconds, body),
  });

  it('accepts what was signed with the secret, also during a change of secrets', async () => {
    const { isSigned } = (await import(file)) as { isSigned: IsSigned };
    expect(isSigned(sign([SECRET]), body, SECRET)).toBe(true);
    expect(isSigned(sign([OTHER, SECRET]), body, SECRET)).toBe(true);
  });

  it('refuses another secret, another body, another time and no signature', async () => {
    const { isSigned } = (await import(file)) as { isSigned: IsSigned };
    expect(isSigned(sign([SECRET]), body, OTHER)).toBe(false);
    expect(isSigned(sign([SECRET]), Buffer.from('{}'), SECRET)).toBe(false);
    expect(isSigned(sign([SECRET], now - 600), body, SECRET)).toBe(false);
    expect(isSigned({ ...sign([SECRET]), 'webhook-timestamp': String(now - 1) }, body, SECRET)).toBe(false);
    expect(isSigned({}, body, SECRET)).toBe(false);
  });
});
