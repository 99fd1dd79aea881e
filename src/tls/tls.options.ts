import { z } from 'zod';

/** One setting under one name, for whatever is reached over TLS. */
export const tlsCaFile = z
  .string()
  .min(1)
  .optional()
  .describe('File with the certificate authorities to trust, in PEM. Without it the system decides.');
