/**
 * - `starting`: it has not reached its broker yet, and no attempt has failed.
 * - `running`: it is a member of its group, and takes records.
 * - `waiting to restart`: an attempt to start failed, it lost its broker, or its code failed. It is started again after
 *   `restartDelayMs`.
 * - `stopped`: it was removed, or the process is shutting down.
 */
export type ConsumerState = (typeof consumerStates)[number];
export const consumerStates = ['starting', 'running', 'waiting to restart', 'stopped'] as const;
