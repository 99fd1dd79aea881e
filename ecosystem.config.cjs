const { existsSync, readFileSync } = require('node:fs');
const path = require('node:path');

// What `npm ci` installed for this project, whatever version of Node runs pm2.
const pinnedNode = path.join(__dirname, 'node_modules/.bin/node');
const dotEnv = path.join(__dirname, '.env');
const dotEnvText = existsSync(dotEnv) ? readFileSync(dotEnv, 'utf8') : '';

/** A variable of the shell, or else of .env; what pm2 passes on would win over .env. */
function setting(name) {
  const [, text = ''] = new RegExp(`^\\s*${name}\\s*=\\s*["']?([^\\s"'#]+)`, 'm').exec(dotEnvText) ?? [];
  return process.env[name] || text || undefined;
}

const size = setting('INSTANCES') ?? '2';
// Redis connects programs of their own, each on a port of its own, from PORT (3000) upwards; a load balancer or proxy goes
// in front. Without it one program runs the processes behind one port, as only one may have its files open.
const severalPrograms = setting('REDIS_URL') !== undefined && setting('WORKERS') === undefined;

/**
 * Several processes on one machine: as many as INSTANCES says, or 2. Settings come from .env or the shell, as for a single
 * process.
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
      instances: severalPrograms ? Number(size) : 1,
      // Not pm2's cluster mode: its processes would share one port, and nobody could tell which one is ready.
      exec_mode: 'fork',
      increment_var: 'PORT',
      env: {
        NODE_ENV: 'production',
        PORT: Number(setting('PORT') ?? 3000),
        ...(severalPrograms ? {} : { WORKERS: setting('WORKERS') ?? size }),
      },
      // Started when the process says that it is; a reload goes on to the next one only then.
      wait_ready: true,
      listen_timeout: 30_000,
      // More than server.shutdown.timeoutMs, or pm2 cuts the draining off.
      kill_timeout: 35_000,
    },
  ],
};
