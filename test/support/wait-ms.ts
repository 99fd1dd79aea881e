/**
 * How long a test waits for one event before it fails with a message that names the event, in ms. Much longer than any
 * event takes, because the machine may be slow and busy with other suites.
 */
export const WAIT_MS = 120_000;
