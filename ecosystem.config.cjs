const { existsSync } = require('node:fs');
const path = require('node:path');

// What `npm ci` installed for this project, whatever version of Node runs pm2.
const pinnedNode = path.join(__dirname, 'node_modules/.bin/node');

/**
 * Several processes on one machine, each on a port of its own, from PORT (3000) upwards; a load balancer or proxy goes
 * in front. Brokers are named in .env or in the shell, as for a single process: without REDIS_URL the processes know
 * nothing of each other's clients.
 *
 *   npm ci && npm run build && pm2 start ecosystem.config.cjs
 */
module.exports = {
  apps: [
    {
      name: 'carillon',
      cwd: __dirname,
      script: 'dist/main.js',
      interpreter: existsSync(pinnedNode) ? pinnedNode : 'node',
      // As in `npm start`; docs/operations.md tells what for.
      node_args: '--max-semi-space-size=16',
      instances: Number(process.env.INSTANCES ?? 2),
      // Not pm2's cluster mode: its processes would share one port, and nobody could tell which one is ready.
      exec_mode: 'fork',
      increment_var: 'PORT',
      env: { NODE_ENV: 'production', PORT: Number(process.env.PORT ?? 3000) },
      // Started when the process says that it is; a reload goes on to the next one only then.
      wait_ready: true,
      listen_timeout: 30_000,
      // More than server.shutdown.timeoutMs, or pm2 cuts the draining off.
      kill_timeout: 35_000,
    },
  ],
};
