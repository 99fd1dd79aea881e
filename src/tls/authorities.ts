import { readFileSync } from 'node:fs';
import { AuthoritiesUnreadableError } from './tls.errors.js';

/**
 * For Node's `tls.connect`: to be trusted instead of the system's own, where a file is given.
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
