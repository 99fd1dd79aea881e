import type { Link } from './link.js';

/** How a port calls what may go wrong with it. */
export interface PortFailures {
  /** A call came after `close`. */
  closed(): Error;
  /** The port's own error for one of the link. */
  translate(error: unknown): unknown;
}

interface Closable {
  close(): Promise<void>;
}

/** This end of a port that another process serves with `servePort`: what its adapters have in common. */
export class RemotePort {
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #open = new Set<Closable>();
  #closed: Promise<void> | undefined;

  constructor(
    private readonly link: Link,
    private readonly name: string,
    private readonly failures: PortFailures,
  ) {}

  async call<Result>(method: string, ...args: readonly unknown[]): Promise<Result> {
    if (this.#closed !== undefined) throw this.failures.closed();
    const answer = this.link.call<Result>(this.name, method, ...args);
    this.#underWay.add(answer);
    try {
      return await answer;
    } catch (error) {
      throw this.failures.translate(error);
    } finally {
      this.#underWay.delete(answer);
    }
  }

  /** Keeps something that the other end opened, to be closed before the port is. It may be closed twice. */
  keep<Opened extends Closable>(opened: Opened): Opened {
    let closed: Promise<void> | undefined;
    const kept: Opened = {
      ...opened,
      // Where the link has ended, it is closed at the other end already.
      close: () =>
        (closed ??= opened
          .close()
          .catch(() => {})
          .finally(() => this.#open.delete(kept))),
    };
    this.#open.add(kept);
    return kept;
  }

  /** Waits for what is under way, which ends when the link does. The store itself stays open, for others. */
  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#open].map((each) => each.close()));
    await Promise.allSettled(this.#underWay);
  }
}
