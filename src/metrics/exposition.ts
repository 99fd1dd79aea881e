/** Provides the metrics of several processes that share one port. Without it, a process exports only its own metrics. */
export abstract class Exposition {
  /** Resolves with the metrics of all processes in Prometheus's text format. */
  abstract read(): Promise<string>;
}
