/* oxlint-disable jest/no-disabled-tests, jest/expect-expect -- this file skips or fails whole suites */
import { describe, it } from '@jest/globals';

/**
 * Describes a suite with requirements that not every machine meets. If one is missing, the suite is skipped with a message.
 * With CARILLON_REQUIRE_BROKERS=1 it fails.
 */
export function describeGiven(missing: readonly string[], title: string, suite: () => void): void {
  if (missing.length > 0 && process.env['CARILLON_REQUIRE_BROKERS'] === '1') {
    describe(title, () => {
      it('has its requirements', () => {
        throw new Error(`${title} needs ${missing.join(', ')}`);
      });
    });
  } else {
    describeWherePossible(missing, title, suite);
  }
}

/** The same for requirements that even CI machines may lack: the suite is skipped everywhere, and never fails. */
export function describeWherePossible(missing: readonly string[], title: string, suite: () => void): void {
  if (missing.length === 0) {
    describe(title, suite);
  } else {
    process.stderr.write(
      `SKIPPED ${title}: needs ${missing.join(', ')}. To run it: CARILLON_BROKERS=1 npm test\n`,
    );
    describe.skip(title, suite);
  }
}
