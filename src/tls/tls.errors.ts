import { CarillonError } from '../errors.js';

/** The file of certificate authorities does not exist or cannot be read. Thrown at start-up. */
export class AuthoritiesUnreadableError extends CarillonError {
  readonly code = 'tls_authorities_unreadable';

  constructor(file: string, options: ErrorOptions) {
    super(
      `cannot read the certificate authorities in ${file}: tlsCaFile must be a PEM file that this process may read`,
      options,
    );
  }
}
