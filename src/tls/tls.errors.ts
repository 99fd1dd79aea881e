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

/** A certificate or key of the configuration cannot be read. Thrown at start-up. */
export class PemUnreadableError extends CarillonError {
  readonly code = 'tls_pem_unreadable';

  constructor(setting: string, options?: ErrorOptions) {
    super(
      `cannot read ${setting}: it must be PEM text, the same in base64, or the path of a PEM file`,
      options,
    );
  }
}
