import { CarillonError } from '../errors.js';

/** The configuration is invalid. The message lists every fault, not only the first. */
export class ConfigError extends CarillonError {
  readonly code = 'config_invalid';

  /** @param notices problems that do not prevent a start, but may be the cause of a fault */
  constructor(
    readonly faults: readonly string[],
    notices: readonly string[] = [],
  ) {
    const lines = [...faults, ...notices.map((notice) => `note: ${notice}`)];
    const count = faults.length === 1 ? '1 fault' : `${faults.length} faults`;
    super(`the configuration has ${count}:\n${lines.map((line) => `  - ${line}`).join('\n')}`);
  }
}
