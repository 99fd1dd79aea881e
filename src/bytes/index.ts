export { JoinedChunks } from './joined-chunks.js';
