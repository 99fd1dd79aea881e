import type { ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Link } from '../ipc/index.js';

/**
 * Where a worker finds its link. It is a pipe of its own beside the channel of node:cluster, which stands still while a
 * socket is being handed over.
 */
const DESCRIPTOR = 4;

/** What the workers inherit; the last one is the link. */
export const workerStdio = ['inherit', 'inherit', 'inherit', 'ipc', 'pipe'] as const;

export function linkToWorker(worker: ChildProcess): Link {
  return new Link(worker.stdio[DESCRIPTOR] as unknown as Duplex);
}

export function linkToPrimary(): Link {
  return new Link(new Socket({ fd: DESCRIPTOR, readable: true, writable: true }));
}
