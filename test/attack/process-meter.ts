import { globSync, readdirSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import type { Server } from '../support/server.ts';

const SAMPLE_INTERVAL_MS = 50;
const PROBE_INTERVAL_MS = 100;

/**
 * How long the event loop of a server may be held while it is attacked, measured from outside: a request for `/health/live` is
 * answered or refused within this time. It is long, because the machine of a test may be busy.
 */
export const MAX_STALL_MS = 10_000;
/** How many descriptors a process may have while it is attacked, if its own limit is not lower. */
export const MAX_DESCRIPTORS = 2_000;

/** Measures what a server process and its children use, from outside, while it is attacked. */
export class ProcessMeter implements Disposable {
  /** Resident memory at the start, of all processes together, in bytes. */
  readonly bytesBefore: number;
  /** The highest values that were measured so far. */
  maxBytes = 0;
  maxDescriptors = 0;
  #longestProbeMs = 0;
  #probedAt: number | undefined;
  readonly #timer: NodeJS.Timeout;
  readonly #probing: NodeJS.Timeout;
  private readonly pid: number;

  constructor(private readonly server: Server) {
    this.pid = server.pid;
    this.#sample();
    this.bytesBefore = this.maxBytes;
    this.#timer = setInterval(() => this.#sample(), SAMPLE_INTERVAL_MS);
    this.#probing = setInterval(() => this.#probe(), PROBE_INTERVAL_MS);
  }

  /** How much the memory has grown at most, in MB. */
  get growthMb(): number {
    return (this.maxBytes - this.bytesBefore) / 2 ** 20;
  }

  /** How long the server took at most to answer or refuse a request, in ms. */
  get longestStallMs(): number {
    const running = this.#probedAt === undefined ? 0 : performance.now() - this.#probedAt;
    return Math.max(this.#longestProbeMs, running);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    clearInterval(this.#probing);
  }

  /** One probe at a time. A refusal is an answer too: the event loop has run. */
  #probe(): void {
    if (this.#probedAt !== undefined) return;
    const startedAt = performance.now();
    this.#probedAt = startedAt;
    const end = (): void => {
      this.#longestProbeMs = Math.max(this.#longestProbeMs, performance.now() - startedAt);
      this.#probedAt = undefined;
    };
    get(`${this.server.url}/health/live`, { agent: false }, (response) => {
      response.resume().on('close', end);
    }).on('error', end);
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
