import type { Machine } from '../versus/machine.ts';
import type { Row } from './rows.ts';

export interface Report {
  readonly startedAt: Date;
  readonly seconds: number;
  readonly rounds: number;
  readonly version: string;
  readonly machine: Machine;
  readonly brokers: readonly {
    readonly driver: string;
    readonly client: string;
    readonly rows: readonly Row[];
  }[];
}

/** The target of the port, as a fraction of the client library's rate. */
const GOAL = 0.8;

export function toMarkdown({ startedAt, seconds, rounds, version, machine, brokers }: Report): string {
  const { cores, processor, memoryGiB, kernel, node, redis, loadAverage } = machine;
  return [
    `# The bus of Carillon ${version} compared with the client libraries`,
    `${startedAt.toISOString().slice(0, 16).replace('T', ' ')} UTC, ${Math.round(seconds)} s, median of ${rounds} rounds of each, records of 100 bytes per second. Each ratio is the rate of Carillon divided by that of the client library in the same round.`,
    [
      `- ${cores} × ${processor}, ${memoryGiB} GiB, ${kernel}; the broker runs on it as well`,
      `- Node ${node}, Redis ${redis}`,
      `- load average at the start: ${loadAverage}`,
    ].join('\n'),
    [
      '| driver | | by hand | Bus | ratio | goal | met | Events | ratio |',
      '| --- | --- | ---: | ---: | ---: | ---: | --- | ---: | ---: |',
      ...brokers.flatMap(({ driver, client, rows }) =>
        rows.map((row, i) => `| ${i === 0 ? `${driver}, ${client}` : ''} | ${cells(row).join(' | ')} |`),
      ),
    ].join('\n'),
  ].join('\n\n');
}

/** All rounds, for other evaluations. */
export function toJson(report: Report): string {
  return `${JSON.stringify(report, undefined, 2)}\n`;
}

function cells({ title, byHand, port, events }: Row): readonly string[] {
  const ratioOf = (figures: readonly number[]) =>
    median(figures.map((figure, round) => figure / byHand[round]!));
  const ratio = ratioOf(port);
  const met = ratio >= GOAL ? 'yes' : '**no**';
  return [
    title,
    rate(byHand),
    rate(port),
    ratio.toFixed(2),
    `≥ ${GOAL.toFixed(2)} ×`,
    met,
    rate(events),
    ratioOf(events).toFixed(2),
  ];
}

function rate(figures: readonly number[]): string {
  return Math.round(median(figures)).toLocaleString('en');
}

function median(figures: readonly number[]): number {
  return figures.toSorted((one, other) => one - other)[figures.length >> 1] ?? NaN;
}
