/**
 * The messages that were delivered to one consumer and are not acknowledged yet, by position. Each has a handle, with
 * which its protocol acknowledges it.
 *
 * After a lost connection the broker delivers these messages again. This class recognizes such a redelivery: a
 * message that is still being handled must not be passed on twice, and one that was acknowledged while disconnected
 * must be acknowledged again.
 */
export class UnackedMessages<Handle> {
  readonly #handles = new Map<string, Handle>();
  #unsentAcks = new Map<string, Handle>();
  /** Positions delivered by a connection that was lost, and not delivered again since. */
  #stale = new Set<string>();

  constructor(private readonly limit: number) {}

  /** The number of further messages that may be delivered. */
  get capacity(): number {
    return Math.max(0, this.limit - this.#handles.size);
  }

  /** Handles of messages that were acknowledged while disconnected. */
  get unsentAcks(): Iterable<Handle> {
    return this.#unsentAcks.values();
  }

  /**
   * Adds a delivered message. Returns `new` if it must be passed on, `redelivered` if it is still being handled, and
   * `acknowledged` if it must be acknowledged at once.
   */
  add(position: string, handle: Handle): 'new' | 'redelivered' | 'acknowledged' {
    if (this.#unsentAcks.delete(position)) return 'acknowledged';
    const known = this.#handles.has(position);
    this.#handles.set(position, handle);
    this.#stale.delete(position);
    return known ? 'redelivered' : 'new';
  }

  /**
   * Returns false after the connection was lost until the message is delivered again: another member may have
   * received it.
   */
  owns(position: string): boolean {
    return this.#handles.has(position) && !this.#stale.has(position);
  }

  /** Returns the handle of the message, or undefined if it was removed before. */
  remove(position: string): Handle | undefined {
    const handle = this.#handles.get(position);
    this.#handles.delete(position);
    this.#stale.delete(position);
    return handle;
  }

  /** Notes that the acknowledgement of a removed message could not be sent. */
  addUnsentAck(position: string, handle: Handle): void {
    this.#unsentAcks.set(position, handle);
  }

  /**
   * Unsent acknowledgements of earlier connections are dropped: if their messages have not been redelivered, other
   * members have them.
   */
  connectionLost(): void {
    this.#unsentAcks = new Map();
    this.#stale = new Set(this.#handles.keys());
  }
}
