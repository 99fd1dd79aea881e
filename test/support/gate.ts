/* oxlint-disable jest/no-disabled-tests, jest/expect-expect -- it skips or fails whole suites */
import { describe, it } from '@jest/globals';

/**
 * A suite that needs what not every machine has. Where something is missing, the suite is skipped and says so; with
 * CARILLON_REQUIRE_BROKERS=1 it fails.
 */
export function describeGiven(missing: readonly string[], title: string, suite: () => void): void {
  if (missing.length > 0 && process.env['CARILLON_REQUIRE_BROKERS'] === '1') {
    describe(title, () => {
      it('has what it needs', () => {
        throw new Error(`${title} needs ${missing.join(', ')}`);
      });
    });
  } else {
    describeWherePossible(missing, title, suite);
  }
}

/** The same for what not even a CI machine is asked to have: where it is missing, the suite never fails. */
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
