import type { ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Link } from '../ipc/index.js';

/**
 * The file descriptor of a worker's link. The link is a pipe of its own, because the channel of node:cluster blocks while it passes
 * a socket to a worker.
 */
const DESCRIPTOR = 4;

/** The file descriptors that a worker inherits. The last one is the link. */
export const workerStdio = ['inherit', 'inherit', 'inherit', 'ipc', 'pipe'] as const;

export function linkToWorker(worker: ChildProcess): Link {
  return new Link(worker.stdio[DESCRIPTOR] as unknown as Duplex);
}

export function linkToPrimary(): Link {
  return new Link(new Socket({ fd: DESCRIPTOR, readable: true, writable: true }));
}
