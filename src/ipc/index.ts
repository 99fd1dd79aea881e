export { LinkEndedError, RemoteError } from './ipc.errors.js';
export { Link, type Methods } from './link.js';
export { RemotePort, type PortErrors } from './remote-port.js';
export { servePort } from './serve-port.js';
