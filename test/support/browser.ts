import { type Browser, chromium } from 'playwright-core';
import { pathOf } from '../../scripts/brokers/cache.ts';
import { describeGiven } from './gate.ts';

const names = ['chromium', 'chromium-browser', 'google-chrome'];
const program = names.map(pathOf).find((path) => path !== undefined);

/** Describes a suite that drives a real Chromium. If there is none, the suite is skipped, or fails with CARILLON_REQUIRE_BROKERS=1. */
export function describeWithBrowser(title: string, suite: () => void): void {
  describeGiven(program === undefined ? ['chromium (it is not installed)'] : [], title, suite);
}

export async function startBrowser(): Promise<Browser> {
  // Chromium's sandbox does not work for root, and often not in containers.
  return chromium.launch({ executablePath: program ?? '', chromiumSandbox: false });
}
