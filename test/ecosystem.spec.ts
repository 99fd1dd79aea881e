import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

describe('ecosystem.config.cjs', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'ecosystem-'));
    for (const name of ['package.json', 'ecosystem.config.cjs', 'ecosystem.config.js'])
      copyFileSync(resolve(name), join(directory, name));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  /** Loads the file as pm2 does. It runs in its own process, because the file reads the environment. */
  const read = (
    env: Readonly<Record<string, string>> = {},
    dotEnv = '',
    file = 'ecosystem.config.cjs',
  ): unknown => {
    writeFileSync(join(directory, '.env'), dotEnv);
    const program = `console.log(JSON.stringify(require("./${file}").apps[0]))`;
    return JSON.parse(
      execFileSync(process.execPath, ['-e', program], { cwd: directory, env, encoding: 'utf8' }),
    );
  };
  const oneProgram = (port: number, workers: string) => ({
    instances: 1,
    env: { NODE_ENV: 'production', PORT: port, WORKERS: workers },
  });
  const programs = (port: number, instances: number) => ({
    instances,
    env: { NODE_ENV: 'production', PORT: port },
  });

  it('starts one program with workers without Redis, or with WORKERS', () => {
    expect(read()).toMatchObject(oneProgram(3000, '2'));
    expect(read({ INSTANCES: '3' }, '#REDIS_URL=redis://a\nPORT=4000')).toMatchObject(oneProgram(4000, '3'));
    expect(read({ WORKERS: 'auto', REDIS_URL: 'redis://a' })).toMatchObject(oneProgram(3000, 'auto'));
  });

  it('is also found as ecosystem.config.js', () => {
    expect(read({}, '', 'ecosystem.config.js')).toEqual(read());
  });

  it('starts several programs if REDIS_URL is set in the environment or in .env', () => {
    for (const app of [read({ REDIS_URL: 'redis://a' }), read({}, 'A=1\nREDIS_URL="redis://a"')]) {
      expect(app).toMatchObject(programs(3000, 2));
      expect(app).not.toHaveProperty('env.WORKERS');
    }
    expect(read({ PORT: '5000' }, 'REDIS_URL=redis://a\nPORT=4000\nINSTANCES=4')).toMatchObject(
      programs(5000, 4),
    );
  });
});
