import { arch, cpus, loadavg, platform, release, totalmem } from 'node:os';
import { output } from './programs.ts';

/** What the figures were taken on: they mean little without it. */
export interface Machine {
  readonly cores: number;
  readonly processor: string;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  readonly go: string;
  readonly redis: string;
  /** Over one minute, before the first run: what else the machine was doing. */
  readonly loadAverage: number;
}

export function describeMachine(): Machine {
  const all = cpus();
  return {
    cores: all.length,
    processor: all[0]?.model ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    go: output('go', ['env', 'GOVERSION']),
    redis: /v=(\S+)/.exec(output('redis-server', ['--version']))?.[1] ?? 'none',
    loadAverage: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  };
}
