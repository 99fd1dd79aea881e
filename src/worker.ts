import '../bin/check-node.cjs';

// Not a static import, which would be loaded before the check runs.
await import('./start-worker.js');
