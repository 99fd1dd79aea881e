export { runWorkers } from './primary.js';
export { answerPulse } from './pulse.js';
export { linkToPrimary } from './worker-link.js';
export { WorkerModule } from './worker.module.js';
