import { CarillonError } from '../errors.js';

/** The configuration cannot be used. Lists every fault, not only the first. */
export class ConfigError extends CarillonError {
  readonly code = 'config_invalid';

  /** @param notices what prevents nothing, but may be what is behind a fault */
  constructor(
    readonly faults: readonly string[],
    notices: readonly string[] = [],
  ) {
    const lines = [...faults, ...notices.map((notice) => `note: ${notice}`)];
    super(
      `the configuration has ${faults.length} fault(s):\n${lines.map((line) => `  - ${line}`).join('\n')}`,
    );
  }
}
