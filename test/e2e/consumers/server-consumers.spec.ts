import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { describeOnEveryDriver } from '../../contract/bus/bus-drivers.js';
import { Server } from '../../support/server.js';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'carillon-consumers-'));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const write = (name: string, text: string): void => {
  mkdirSync(dirname(join(cwd, name)), { recursive: true });
  writeFileSync(join(cwd, name), text);
};
const configure = (bus: object): string[] => {
  write('carillon.json', JSON.stringify({ bus }));
  return ['--config', 'carillon.json'];
};
const metricsUntil = async ({ url }: Server, sample: RegExp): Promise<string> => {
  for (;;) {
    const text = await (await fetch(`${url}/metrics`)).text();
    if (sample.test(text)) return text;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

/** A consumer in plain JavaScript, and a class that emits an event to it when the server has started. */
const consumers = (topic: string, module = 'task') => `
  import { Inject } from '@nestjs/common';
  import { Events, ModuleConsumer } from 'carillon/bus';

  export class Daily {
    handle(consumer, event, payload) {
      console.log('handled ' + consumer + ' ' + event + ' ' + JSON.stringify(payload));
    }
  }
  ModuleConsumer({ module: '${module}', consumer: 'daily', topics: ['${topic}'] })(Daily);

  export class Emitting {
    constructor(events) {
      this.events = events;
    }
    async onApplicationBootstrap() {
      await this.events.emit('${topic}', { event: 'income', payload: { income: 80 } });
    }
  }
  Inject(Events)(Emitting, undefined, 0);
  ModuleConsumer({ module: '${module}', consumer: 'other', topics: ['${topic}'], events: ['none'] })(
    Emitting.prototype, 'onOther', { value: Emitting.prototype.onOther = () => {} });
`;

describeOnEveryDriver('Consumers in the server', ({ driver, options }) => {
  it('are loaded from a file, handle events, and have metrics', async () => {
    const topic = `t-${randomUUID()}`;
    write('consumers.js', consumers(topic));
    // The group is unique as well, because the brokers are shared.
    const args = configure({ ...(await options()), modules: { task: { consumers: ['./consumers.js'] } } });
    await using server = await Server.start({ cwd, args });
    await server.says(/handled daily income \{"income":80\}/);
    const labels = `module="task",consumer="daily",event="income",driver="${driver}"`;
    const text = await metricsUntil(server, new RegExp(`^messagebus_job_cost_count\\{${labels}\\} 1$`, 'm'));
    expect(text).toMatch(new RegExp(`^messagebus_job_delay_count\\{${labels}\\} 1$`, 'm'));
    expect(await server.stop()).toBe(0);
  });
});

describe('A server with files of consumers', () => {
  const start = (modules: object, env: Readonly<Record<string, string>> = {}) =>
    Server.start({ cwd, args: configure({ modules }), env });
  const startFails = async (modules: object): Promise<string> => {
    await using server = await Server.spawn({ cwd, args: configure({ modules }) });
    expect(await server.exited()).toBe(1);
    return server.output;
  };

  it('takes a package, a CommonJS file, and a Nest module with what its consumers inject', async () => {
    write(
      'node_modules/daily-tasks/package.json',
      '{"name":"daily-tasks","type":"module","exports":"./main.js"}',
    );
    write('node_modules/daily-tasks/main.js', consumers('from-package'));
    write(
      'common.cjs',
      `const { ModuleConsumer } = require('carillon/bus');
       class Monthly { handle(...args) { console.log('monthly ' + args[1]); } }
       ModuleConsumer({ module: 'report', consumer: 'monthly', topics: ['from-package'] })(Monthly);
       module.exports = { Monthly };`,
    );
    write(
      'weekly.js',
      `import { Inject, Module } from '@nestjs/common';
       import { Events, ModuleConsumer } from 'carillon/bus';
       class Database { save(text) { console.log('saved ' + text); } }
       export class Weekly {
         constructor(database, events) { this.database = database; this.events = events; }
         async handle(consumer, event) { this.database.save(event + ' ' + typeof this.events.emit); }
       }
       Inject(Database)(Weekly, undefined, 0);
       Inject(Events)(Weekly, undefined, 1);
       ModuleConsumer({ module: 'week', consumer: 'weekly', topics: ['from-package'] })(Weekly);
       export class WeeklyModule {}
       Module({ providers: [Database, Weekly] })(WeeklyModule);`,
    );
    await using server = await start({
      task: { load: ['daily-tasks'], consumers: { daily: { batchSize: 7 } } },
      report: { load: ['./common.cjs'] },
      week: { consumers: [join(cwd, 'weekly.js')] },
    });
    await server.says(/handled daily income/);
    await server.says(/monthly income/);
    await server.says(/saved income function/);
    expect(await server.stop()).toBe(0);
  });

  it('runs them in every worker, and only in the role `consumers`', async () => {
    write('consumers.js', consumers('t'));
    const modules = { task: { consumers: ['./consumers.js'] } };
    await using workers = await start(modules, { WORKERS: '2' });
    // Each worker emits one event.
    await workers.says(/handled daily income/, 2);
    await metricsUntil(workers, /^messagebus_job_cost_count\{[^}]*event="income"[^}]*\} 2$/m);

    const lanes = { CARILLON_BUS_INSTANT_DRIVER: 'memory' };
    await using gateway = await start(modules, {
      CARILLON_SERVER_ROLES: 'gateway',
      CARILLON_DELIVERY_FANOUT_KIND: 'redis',
      CARILLON_DELIVERY_FANOUT_URL: 'redis://127.0.0.1:1',
      ...lanes,
    });
    expect(gateway.output).not.toContain('consumer task-daily');
  });

  it('accepts the names of the original bus, reports them, and names sections without effect', async () => {
    write('consumers.js', consumers('t'));
    const bus = {
      default: { default_driver: 'memory' },
      modules: {
        task: {
          consume_num: 7,
          consumers: { daily: { nums: 2 }, weekly: { nums: 2 } },
          load: ['./consumers.js'],
        },
        tsak: { consumer_interval: 1 },
      },
    };
    await using server = await Server.start({ cwd, args: configure(bus) });
    await server.says(/bus\.modules\.task\.consume_num is called bus\.modules\.task\.batchSize here/);
    await server.says(/bus\.default\.default_driver is called bus\.defaultDriver here/);
    await server.says(/modules\.task\.consumers\.weekly has no effect: this process has no such consumer/);
    await server.says(/handled daily income/);
    await server.says(/modules\.tsak has no effect/);
    expect(server.output).not.toContain('modules.task has no effect');
  });

  it('does not start with a setting of consumers or pools that is unknown, and suggests one', async () => {
    const bus = {
      modules: { task: { batchsize: 5, consumers: { daily: { concurency: 2 } } } },
      producers: { kafka: { maxConnection: 2 } },
    };
    await using server = await Server.spawn({ cwd, args: configure(bus) });
    expect(await server.exited()).toBe(1);
    expect(server.output).toMatch(
      /bus\.modules\.task\.batchsize in carillon\.json is unknown: did you mean batchSize\?/,
    );
    expect(server.output).toMatch(
      /daily\.concurency in carillon\.json is unknown: did you mean concurrency\?/,
    );
    expect(server.output).toMatch(
      /kafka\.maxConnection in carillon\.json is unknown: did you mean maxConnections\?/,
    );
  });

  it('does not start with workers either if a file cannot be used', async () => {
    const args = configure({ modules: { task: { load: ['./absent.js'] } } });
    await using server = await Server.spawn({ cwd, args, env: { WORKERS: '2' } });
    expect(await server.exited()).toBe(1);
    expect(server.output).toMatch(/load: \.\/absent\.js does not exist/);
  });

  it('does not start if a file cannot be used, and says why for each of them', async () => {
    write('throws.js', `export const x = 1;\nthrow new Error('no licence');`);
    write('decorated.js', `@Injectable()\nexport class X {}`);
    write('nothing.js', 'export class Plain {}');
    write('other.js', consumers('t', 'billing'));
    write('imports.js', `import 'not-installed';`);
    const output = await startFails({
      task: {
        load: [
          './absent.js',
          'absent-package',
          './task.ts',
          '.',
          './throws.js',
          './decorated.js',
          './nothing.js',
          './other.js',
          './imports.js',
        ],
      },
    });
    for (const fault of [
      /has 9 faults/,
      /bus\.modules\.task\.load: \.\/absent\.js does not exist: there is no \/.*absent\.js/,
      /load: absent-package does not exist: there is no package of this name in /,
      /load: \.\/task\.ts is TypeScript, which this process does not compile: name the compiled \.js file/,
      /load: \. is not a file/,
      /load: \.\/throws\.js cannot be loaded: no licence \(.*throws\.js:2/,
      /load: \.\/decorated\.js cannot be loaded: .*compile decorators/,
      /load: \.\/nothing\.js declares no consumer: export a class with @ModuleConsumer\(\{ module: 'task'/,
      /load: \.\/other\.js declares Daily of module billing/,
      /load: \.\/imports\.js cannot be loaded: Cannot find package 'not-installed'/,
    ])
      expect(output).toMatch(fault);
  });
});
