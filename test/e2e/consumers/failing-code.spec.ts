import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Server } from '../../support/server.js';

/** Each event of the topic says how the code of its consumer fails. */
const failing = `
  import { EventEmitter, once } from 'node:events';
  import { Inject } from '@nestjs/common';
  import { Events, ModuleConsumer } from 'carillon/bus';

  export class Failing {
    constructor(events) {
      this.events = events;
    }
    async onApplicationBootstrap() {
      for (const payload of (process.env.FAILURES ?? '').split(','))
        await this.events.emit('t', { event: payload, payload });
    }
    async handle(consumer, event, payload, { attempt }) {
      console.log('handling ' + payload + ' ' + attempt);
      const error = () => new Error('thrown by ' + payload);
      switch (payload) {
        case 'timer':
          setTimeout(() => { throw error(); }, 50);
          return;
        case 'rejection':
          setImmediate(() => void Promise.reject(error()));
          return;
        case 'emitter': {
          const emitter = new EventEmitter();
          setTimeout(() => emitter.emit('error', error()), 50);
          return;
        }
        case 'during':
          setTimeout(() => { throw error(); }, 50);
          await new Promise(() => {});
      }
    }
  }
  Inject(Events)(Failing, undefined, 0);
  ModuleConsumer({ module: 'task', consumer: 'failing', topics: ['t'] })(Failing);

  export class Quiet {
    handle(consumer, event) {
      console.log('quiet has ' + event);
    }
  }
  ModuleConsumer({ module: 'task', consumer: 'quiet', topics: ['t'] })(Quiet);
`;

describe('Code of a consumer that fails outside a call of its handler', () => {
  let cwd: string;
  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), 'carillon-failing-'));
    writeFileSync(join(cwd, 'failing.js'), failing);
    const consumers = { restartDelayMs: 300, maxAttempts: 2, retryInitialMs: 10 };
    writeFileSync(
      join(cwd, 'carillon.json'),
      JSON.stringify({ bus: { consumers, modules: { task: { load: ['./failing.js'] } } } }),
    );
  });
  afterEach(() => rmSync(cwd, { recursive: true, force: true }));

  const start = (failures: string) =>
    Server.start({ cwd, args: ['--config', 'carillon.json'], env: { FAILURES: failures } });

  it.each(['timer', 'rejection', 'emitter'])(
    'restarts the consumer, and neither the process nor another consumer: %s',
    async (failure) => {
      await using server = await start(failure);
      await server.says(
        new RegExp(
          `consumer task-failing: not running, starts again every 300 ms: its code failed .*${failure}`,
        ),
      );
      await server.says(/consumer task-failing: running/, 2);
      expect(server.output).toMatch(
        new RegExp(`code of consumer task-failing, outside a call of its handler: thrown by ${failure}`),
      );
      expect(server.output).not.toContain('consumer task-quiet: not running');
      const metrics = await (await fetch(`${server.url}/metrics`)).text();
      const labels = 'module="task",consumer="failing",driver="memory"';
      expect(metrics).toContain(`messagebus_consumer_failures_total{${labels}} 1`);
      expect(metrics).toContain(`messagebus_consumer_state{${labels},state="running"} 1`);
      expect(await server.stop()).toBe(0);
    },
  );

  it('fails the call that is still running, so that its event is retried and becomes a dead letter', async () => {
    await using server = await start('during,after');
    // The handler would take half a minute to time out.
    await server.says(/handling during 2/);
    await server.says(/quiet has after/);
    await server.says(/dead letter.*thrown by during|thrown by during.*dead letter/);
    expect(server.output).not.toContain('consumer task-failing: not running');
  });
});
