import { describe, expect, it } from '@jest/globals';
import { allCases, meets, type Metric, type Result, titleOf } from '../bench/versus/cases.ts';
import { type Comparison, figuresOf, type Outcome } from '../bench/versus/comparison.ts';
import { toMarkdown } from '../bench/versus/report.ts';

const NOTHING: Result = {
  seconds: 1,
  connections: 0,
  published: 0,
  deliveries: 0,
  serverCpuSeconds: 0,
  storeCpuSeconds: 0,
  clientCpuSeconds: 0,
  otherCpuSeconds: 0,
  latencyP50Ms: 0,
  latencyP99Ms: 0,
  residentBytes: 0,
};
const work = allCases(true, 5_000).find(({ name }) => name === 'fan-out to 500')!;
const deliveriesPerSecond = work.metrics[0]!;

const delivering = (deliveries: number): Outcome => ({ result: { ...NOTHING, deliveries } });
const comparing = (ours: readonly Outcome[], theirs: readonly Outcome[]): Comparison => ({
  case: work,
  ours: [...ours],
  theirs: [...theirs],
});
const figures = (comparison: Comparison, metric: Metric = deliveriesPerSecond) =>
  figuresOf(comparison, metric);

describe('the figures of the bench', () => {
  it('use the ratio of each pair, so that a slow moment affects both sides', () => {
    const comparison = comparing([800, 80, 900].map(delivering), [400, 40, 300].map(delivering));
    expect(figures(comparison)).toEqual({ ours: 800, theirs: 300, ratio: 2 });
  });

  it('leave out pairs with a failed run', () => {
    const comparison = comparing(
      [delivering(800), { fault: 'closed' }, delivering(900)],
      [400, 40, 300].map(delivering),
    );
    expect(figures(comparison)).toEqual({ ours: 850, theirs: 300, ratio: 2.5 });
    expect(figures(comparing([{ fault: 'closed' }], [delivering(1)])).ratio).toBeUndefined();
  });

  it('are compared with an upper or a lower target', () => {
    expect(meets({ of: 'ratio', atLeast: 2 }, 2, 0)).toBe(true);
    expect(meets({ of: 'ratio', atLeast: 2 }, 1.99, 100)).toBe(false);
    expect(meets({ of: 'value', atMost: 10 }, 100, 10)).toBe(true);
  });

  it('are reported with the failures', () => {
    const report = toMarkdown({
      startedAt: new Date('2026-01-02T03:04:05Z'),
      seconds: 60,
      repeats: 2,
      ours: 'Carillon 1',
      theirs: 'Centrifugo 2',
      machine: {
        cores: 2,
        processor: 'a processor',
        memoryGiB: 8,
        kernel: 'linux 6',
        node: 'v24',
        go: 'go1.26',
        redis: '7',
        loadAverage: 0.5,
      },
      comparisons: [comparing([delivering(1_500), { fault: 'closed' }], [1_000, 1_000].map(delivering))],
    });
    expect(report).toContain(
      '| fan-out to 500, memory | deliveries/s | 1,500 | 1,000 | 1.50 | ≥ 2.00 × | **no** |',
    );
    expect(report).toContain('- fan-out to 500, memory, Carillon: closed');
  });

  it('have a unique title for each case', () => {
    const titles = allCases(false, 5_000).map(titleOf);
    expect(new Set(titles).size).toBe(titles.length);
  });
});
