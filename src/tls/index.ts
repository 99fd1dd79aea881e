export { readAuthorities } from './authorities.js';
export { AuthoritiesUnreadableError } from './tls.errors.js';
export { tlsCaFile } from './tls.options.js';
