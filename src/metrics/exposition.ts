/** What Prometheus is told where several processes answer as one. Without it a process tells of itself alone. */
export abstract class Exposition {
  /** The metrics of all of them, in the text format. */
  abstract read(): Promise<string>;
}
