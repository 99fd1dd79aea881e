import { globSync, readdirSync, readFileSync } from 'node:fs';

const SAMPLE_INTERVAL_MS = 50;

/** Measures what a server process and its children use, from outside, while it is attacked. */
export class ProcessMeter implements Disposable {
  /** Resident memory at the start, of all processes together, in bytes. */
  readonly bytesBefore: number;
  /** The highest values that were measured so far. */
  maxBytes = 0;
  maxDescriptors = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(private readonly pid: number) {
    this.#sample();
    this.bytesBefore = this.maxBytes;
    this.#timer = setInterval(() => this.#sample(), SAMPLE_INTERVAL_MS);
  }

  /** How much the memory has grown at most, in MB. */
  get growthMb(): number {
    return (this.maxBytes - this.bytesBefore) / 2 ** 20;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #sample(): void {
    const pids = treeOf(this.pid);
    this.maxBytes = Math.max(
      this.maxBytes,
      pids.reduce((sum, pid) => sum + residentBytes(pid), 0),
    );
    this.maxDescriptors = Math.max(this.maxDescriptors, ...pids.map(descriptors));
  }
}

function treeOf(root: number): number[] {
  const children = globSync(`/proc/${root}/task/*/children`).flatMap((file) => text(file).trim().split(' '));
  return [root, ...children.filter((pid) => pid !== '').flatMap((pid) => treeOf(Number(pid)))];
}

function residentBytes(pid: number): number {
  const [, kilobytes = '0'] = /^VmRSS:\s+(\d+) kB/m.exec(text(`/proc/${pid}/status`)) ?? [];
  return Number(kilobytes) * 1024;
}

function descriptors(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}

/** A process may end before its file is read. */
function text(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
