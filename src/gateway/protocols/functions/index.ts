export { functionsProtocol } from './functions.protocol.js';
