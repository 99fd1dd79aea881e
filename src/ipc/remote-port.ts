import type { Link } from './link.js';

/** Maps the failures of a remote port to the errors of that port. */
export interface PortErrors {
  /** Returns the error for a call after `close`. */
  closed(): Error;
  /** Returns the port's own error for an error of the link. */
  translate(error: unknown): unknown;
}

interface Closable {
  close(): Promise<void>;
}

/** The client end of a port that another process serves with `servePort`. The IPC adapters share it. */
export class RemotePort {
  readonly #pending = new Set<Promise<unknown>>();
  readonly #open = new Set<Closable>();
  #closed: Promise<void> | undefined;

  constructor(
    private readonly link: Link,
    private readonly name: string,
    private readonly errors: PortErrors,
  ) {}

  async call<Result>(method: string, ...args: readonly unknown[]): Promise<Result> {
    if (this.#closed !== undefined) throw this.errors.closed();
    const reply = this.link.call<Result>(this.name, method, ...args);
    this.#pending.add(reply);
    try {
      return await reply;
    } catch (error) {
      throw this.errors.translate(error);
    } finally {
      this.#pending.delete(reply);
    }
  }

  /** Registers something that the other end opened, so that `close` closes it first. The result may be closed twice. */
  track<Opened extends Closable>(opened: Opened): Opened {
    let closed: Promise<void> | undefined;
    const tracked: Opened = {
      ...opened,
      // If the link has ended, the other end has already closed it.
      close: () =>
        (closed ??= opened
          .close()
          .catch(() => {})
          .finally(() => this.#open.delete(tracked))),
    };
    this.#open.add(tracked);
    return tracked;
  }

  /** Waits for pending calls, which end when the link does. The store itself stays open for other processes. */
  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#open].map((each) => each.close()));
    await Promise.allSettled(this.#pending);
  }
}
