import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Case, Metric, Result } from './cases.ts';
import { API_KEY, TOKEN_SECRET } from './programs.ts';
import type { Server } from './server.ts';

export interface Timing {
  readonly repeats: number;
  readonly warmUpMs: number;
  readonly durationMs: number;
  /** Time before memory is read. */
  readonly settleMs: number;
}

/** One run of a case against one server. */
export type Outcome = { readonly result: Result } | { readonly fault: string };

/** The runs of one case. Each repeat is a pair, one run directly after the other. */
export interface Comparison {
  readonly case: Case;
  readonly ours: Outcome[];
  readonly theirs: Outcome[];
}

export interface Load {
  readonly client: string;
  readonly timing: Timing;
  readonly storePids: readonly number[];
}

let channels = 0;

/** Runs the load of one case against one server. A fault of the server is an outcome too. */
export async function run(work: Case, server: Server, { client, timing, storePids }: Load): Promise<Outcome> {
  const { warmUpMs, durationMs, settleMs } = timing;
  const args = [
    work.mode,
    `-servers=${server.addresses.join()}`,
    `-pids=${server.pids.join()}`,
    `-store-pids=${storePids.join()}`,
    `-token-secret=${TOKEN_SECRET}`,
    `-api-key=${API_KEY}`,
    `-channel=${work.isKept ? 'kept:' : ''}bench-${++channels}`,
    `-warm-up=${warmUpMs}ms`,
    `-duration=${Math.round(durationMs * (work.stretch ?? 1))}ms`,
    `-settle=${settleMs}ms`,
    ...work.flags,
  ];
  try {
    const { stdout } = await promisify(execFile)(client, args, { timeout: 60_000 });
    return { result: JSON.parse(stdout) as Result };
  } catch (error) {
    const { stderr, message } = error as Error & { readonly stderr?: string };
    return { fault: stderr?.trim() || message };
  }
}

export interface Figures {
  readonly ours: number | undefined;
  readonly theirs: number | undefined;
  /** Carillon's value divided by the other one: the median over the pairs, because other load affects both runs of a pair. */
  readonly ratio: number | undefined;
}

export function figuresOf({ ours, theirs }: Comparison, metric: Metric): Figures {
  const values = (outcomes: readonly Outcome[]) =>
    outcomes.map((outcome) => ('result' in outcome ? metric.of(outcome.result) : undefined));
  const [our, their] = [values(ours), values(theirs)];
  const ratios = our.map((value, i) => {
    const other = their[i];
    return value === undefined || other === undefined ? undefined : value / other;
  });
  return { ours: median(our), theirs: median(their), ratio: median(ratios) };
}

function median(values: readonly (number | undefined)[]): number | undefined {
  const sorted = values.filter((value) => value !== undefined).toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  return upper === undefined || sorted.length % 2 === 1 ? upper : (sorted[middle - 1]! + upper) / 2;
}
