/**
 * Why a client is not read from. While there is a cause, TCP slows the client down.
 * - `queue`: its earlier messages are not done yet.
 * - `messages`: it sends messages faster than its limit.
 * - `commands`: it sends commands faster than its limit.
 * - `memory`: too much waits for the clients of this process.
 */
export const PauseCause = { queue: 1, messages: 2, commands: 4, memory: 8 } as const;
export type PauseCause = (typeof PauseCause)[keyof typeof PauseCause];
