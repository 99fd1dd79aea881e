import { arch, cpus, loadavg, platform, release, totalmem } from 'node:os';
import { output } from './programs.ts';

/** The machine of the measurements. */
export interface Machine {
  readonly cores: number;
  readonly processor: string;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  readonly go: string;
  readonly redis: string;
  /** Load average over one minute before the first run. */
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
