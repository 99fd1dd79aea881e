import { every } from '../async/index.js';
import type { Link } from '../ipc/index.js';

const PORT = 'liveness';
const INTERVAL_MS = 1_000;
/** A process that has not replied to a probe for so long is unresponsive. */
export const UNRESPONSIVE_AFTER_S = 3;
/** A process that has not replied to a probe for so long counts as dead. */
export const DEAD_AFTER_S = 10;

export interface LivenessEvents {
  /** The process does not reply, but may recover. */
  readonly onUnresponsive?: () => void;
  /** The process replies again. */
  readonly onRecovered?: () => void;
  readonly onDead: () => void;
}

/** Replies to the liveness probes of the other process. */
export function replyToProbes(link: Link): void {
  link.serve(PORT, { probe: () => {} });
}

/**
 * Probes the other process every second until the link ends. A process that is stopped, or whose event loop is blocked, keeps its
 * end of the link open: only missing replies show it.
 */
export function watchLiveness(link: Link, { onUnresponsive, onRecovered, onDead }: LivenessEvents): void {
  // Counted, not measured: if this process was stopped itself for a while, the other one is not to blame.
  let secondsWithoutReply = 0;
  const onReply = (): void => {
    if (secondsWithoutReply >= UNRESPONSIVE_AFTER_S) onRecovered?.();
    secondsWithoutReply = 0;
  };
  const timer = every('probe of the other process', INTERVAL_MS, () => {
    if (secondsWithoutReply === 0) link.call(PORT, 'probe').then(onReply, () => {}); // rejects when the link ends
    secondsWithoutReply++;
    if (secondsWithoutReply === UNRESPONSIVE_AFTER_S) onUnresponsive?.();
    if (secondsWithoutReply === DEAD_AFTER_S) onDead();
  }).unref();
  link.onEnd(() => clearInterval(timer));
}
