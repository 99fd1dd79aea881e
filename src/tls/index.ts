export { readAuthorities } from './authorities.js';
export { readPem } from './pem.js';
export { AuthoritiesUnreadableError, PemUnreadableError } from './tls.errors.js';
export { tlsCaFile } from './tls.options.js';
