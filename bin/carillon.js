#!/usr/bin/env node
import './check-node.cjs';

// Not a static import, which would be loaded before the check runs.
await import('../dist/main.js');
