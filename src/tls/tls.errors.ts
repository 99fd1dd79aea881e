import { CarillonError } from '../errors.js';

/** The file of certificate authorities is not there, or may not be read. Raised at start-up. */
export class AuthoritiesUnreadableError extends CarillonError {
  readonly code = 'tls_authorities_unreadable';

  constructor(file: string, options: ErrorOptions) {
    super(
      `cannot read the certificate authorities in ${file}: tlsCaFile has to name a file in PEM that this process may read`,
      options,
    );
  }
}
