import { readFileSync } from 'node:fs';
import { AuthoritiesUnreadableError } from './tls.errors.js';

/**
 * Returns options for Node's `tls.connect`. If a file is given, its certificate authorities are trusted instead of
 * the system's.
 * @throws {AuthoritiesUnreadableError}
 */
export function readAuthorities(tlsCaFile: string | undefined): { readonly ca?: Buffer } {
  if (tlsCaFile === undefined) return {};
  try {
    return { ca: readFileSync(tlsCaFile) };
  } catch (cause) {
    throw new AuthoritiesUnreadableError(tlsCaFile, { cause });
  }
}
