export { rawProtocol } from './raw.protocol.js';
