const { existsSync, readFileSync } = require('node:fs');
const path = require('node:path');

// The Node that `npm ci` installed for this project, whichever version of Node runs pm2.
const pinnedNode = path.join(__dirname, 'node_modules/.bin/node');
const dotEnv = path.join(__dirname, '.env');
const dotEnvText = existsSync(dotEnv) ? readFileSync(dotEnv, 'utf8') : '';

/** Returns a variable of the shell, otherwise of .env. Variables that pm2 passes on would override .env. */
function setting(name) {
  const [, text = ''] = new RegExp(`^\\s*${name}\\s*=\\s*["']?([^\\s"'#]+)`, 'm').exec(dotEnvText) ?? [];
  return process.env[name] || text || undefined;
}

const size = setting('INSTANCES') ?? '2';
// With Redis: separate programs, each on its own port from PORT (3000) upwards. Put a load balancer or proxy in front.
// Without Redis: one program with worker processes behind one port, because only one program may open the embedded files.
const severalPrograms = setting('REDIS_URL') !== undefined && setting('WORKERS') === undefined;

/**
 * Runs several processes on one machine: INSTANCES, or 2. Settings come from .env or the shell, as for a single process.
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
      // As in `npm start`. docs/operations.md explains the flag.
      node_args: '--max-semi-space-size=16',
      instances: severalPrograms ? Number(size) : 1,
      // Not pm2's cluster mode: its processes share one port, so a load balancer cannot see which one is ready.
      exec_mode: 'fork',
      increment_var: 'PORT',
      env: {
        NODE_ENV: 'production',
        PORT: Number(setting('PORT') ?? 3000),
        ...(severalPrograms ? {} : { WORKERS: setting('WORKERS') ?? size }),
      },
      // pm2 waits until the process reports that it is ready. Only then does a reload continue with the next one.
      wait_ready: true,
      listen_timeout: 30_000,
      // Longer than server.shutdown.timeoutMs. Otherwise pm2 kills the process while it drains.
      kill_timeout: 35_000,
    },
  ],
};
