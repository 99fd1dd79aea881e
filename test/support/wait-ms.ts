/**
 * How long a test waits for one event before it says what it has waited for in vain, in ms. Much longer than any event
 * takes: the machine may be slow, and busy with other suites.
 */
export const WAIT_MS = 120_000;
