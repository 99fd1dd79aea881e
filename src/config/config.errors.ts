import { CarillonError } from '../errors.js';

/** The configuration cannot be used. Lists every fault, not only the first. */
export class ConfigError extends CarillonError {
  readonly code = 'config_invalid';

  constructor(readonly faults: readonly string[]) {
    super(
      `the configuration has ${faults.length} fault(s):\n${faults.map((fault) => `  - ${fault}`).join('\n')}`,
    );
  }
}
