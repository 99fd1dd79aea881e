import { z } from 'zod';

/** The setting `tlsCaFile`, the same for every service that is reached over TLS. */
export const tlsCaFile = z
  .string()
  .min(1)
  .optional()
  .describe('PEM file with the certificate authorities to trust. Default: those of the system.');
