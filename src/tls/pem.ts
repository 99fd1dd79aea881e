import { readFileSync } from 'node:fs';
import { PemUnreadableError } from './tls.errors.js';

/**
 * Returns the PEM text of a setting, which is that text itself, the same in base64, or the path of a file.
 * @throws PemUnreadableError
 */
export function readPem(setting: string, value: string): Buffer {
  if (isPem(value)) return Buffer.from(value);
  const decoded = Buffer.from(value, 'base64');
  if (isPem(decoded.toString('latin1'))) return decoded;
  try {
    const content = readFileSync(value);
    if (isPem(content.toString('latin1'))) return content;
  } catch (cause) {
    throw new PemUnreadableError(setting, { cause });
  }
  throw new PemUnreadableError(setting);
}

function isPem(text: string): boolean {
  return text.includes('-----BEGIN ');
}
