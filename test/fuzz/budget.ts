const DEFAULT_SECONDS = 15;

/** How long each fuzzing test may generate input, in seconds. `CARILLON_FUZZ_SECONDS` sets it. */
export const fuzzSeconds = Number(process.env['CARILLON_FUZZ_SECONDS'] ?? DEFAULT_SECONDS);

/** The random seed of a run. `CARILLON_FUZZ_SEED` repeats an earlier run. A failing test prints it. */
export const fuzzSeed = Number(process.env['CARILLON_FUZZ_SEED'] ?? Date.now() % 2 ** 31);

/** Time for a test in ms: its budget, and what starting and stopping a server takes on a busy machine. */
export const fuzzTimeoutMs = fuzzSeconds * 1000 + 120_000;
