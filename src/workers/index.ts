export { runWorkers } from './primary.js';
export { replyToProbes } from './liveness.js';
export { linkToPrimary } from './worker-link.js';
export { WorkerModule } from './worker.module.js';
