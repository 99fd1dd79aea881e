import assert from 'node:assert';
import { connect } from 'node:net';

/**
 * Loaded into a server process by `--import`. When the server is ready, the task that `FAILING_TASK` names fails every 20 ms. With
 * `FAILS_AT=start` it fails once, while the server starts.
 */

function emfile(): Error {
  return Object.assign(new Error('EMFILE: too many open files, uv_resident_set_memory'), {
    code: 'EMFILE',
    syscall: 'uv_resident_set_memory',
  });
}

const tasks: Readonly<Record<string, () => void>> = {
  'an exception of a timer': () => {
    throw new Error('an injected exception');
  },
  'an exception of a socket’s event handler': () => {
    const socket = connect(Number(process.env['PORT']), '127.0.0.1', () => {
      socket.destroy();
      throw new Error('an injected exception');
    });
  },
  'a rejected promise': () => void Promise.reject(new Error('an injected rejection')),
  'a rejection that is no error': () => void Promise.reject('an injected rejection'),
  'a system call without a file descriptor': () => {
    process.memoryUsage.rss = () => {
      throw emfile();
    };
    throw emfile();
  },
  'a violated assertion': () => assert.fail('an injected assertion'),
};

const task = tasks[process.env['FAILING_TASK'] ?? ''];
const send = process.send?.bind(process) as ((...args: unknown[]) => boolean) | undefined;
if (task !== undefined && process.env['FAILS_AT'] === 'start')
  process.on('newListener', (event) => event === 'uncaughtException' && process.nextTick(task));
else if (task !== undefined && send !== undefined)
  process.send = (...args: unknown[]): boolean => {
    if (args[0] === 'ready') setInterval(task, 20);
    return send(...args);
  };
