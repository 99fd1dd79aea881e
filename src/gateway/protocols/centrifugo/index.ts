export { centrifugoProtocol } from './centrifugo.protocol.js';
