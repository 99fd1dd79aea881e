import type { Link } from '../ipc/index.js';

const NAME = 'pulse';
const INTERVAL_MS = 1_000;
/** After how many seconds without an answer a process counts as silent, and after how many it is given up. */
export const SILENT_AFTER_S = 3;
export const GIVEN_UP_AFTER_S = 10;

export interface PulseEvents {
  /** Nothing is heard of the process, which may yet come back. */
  readonly onSilent?: () => void;
  /** It answers again. */
  readonly onReturn?: () => void;
  /** It has been silent for so long that it does not count any more. */
  readonly onGivenUp: () => void;
}

/** Answers whoever is at the other end that this process runs. */
export function answerPulse(link: Link): void {
  link.serve(NAME, { ask: () => {} });
}

/**
 * Asks every second whether the process at the other end runs, until the link ends. One that is stopped, or whose event loop
 * is stuck, leaves its end of the link open, so that nothing else would tell.
 */
export function watchPulse(link: Link, { onSilent, onReturn, onGivenUp }: PulseEvents): void {
  // Counted rather than measured: who was stopped itself for a while must not blame the other for it.
  let unanswered = 0;
  const onAnswer = (): void => {
    if (unanswered >= SILENT_AFTER_S) onReturn?.();
    unanswered = 0;
  };
  const timer = setInterval(() => {
    if (unanswered === 0) link.call(NAME, 'ask').then(onAnswer, () => {}); // it rejects when the link ends
    unanswered++;
    if (unanswered === SILENT_AFTER_S) onSilent?.();
    if (unanswered === GIVEN_UP_AFTER_S) onGivenUp();
  }, INTERVAL_MS).unref();
  link.onEnd(() => clearInterval(timer));
}
