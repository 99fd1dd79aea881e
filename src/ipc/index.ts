export { LinkEndedError, RemoteError } from './ipc.errors.js';
export { Link, type Served } from './link.js';
export { RemotePort, type PortFailures } from './remote-port.js';
export { servePort } from './serve-port.js';
