/**
 * What one consumer has been given and not answered yet, by position, with what its protocol needs for the answer.
 *
 * After a lost connection the broker delivers all of that again. Those copies are told here: what is still in hand is
 * not to be handed on twice, and what was acknowledged while nobody listened is to be acknowledged anew.
 */
export class InHand<Handle> {
  readonly #held = new Map<string, Handle>();
  #unheard = new Map<string, Handle>();
  /** Brought by a connection that was lost, and not again since. */
  #former = new Set<string>();

  constructor(private readonly limit: number) {}

  /** How many more may come. */
  get room(): number {
    return Math.max(0, this.limit - this.#held.size);
  }

  /** What was acknowledged while nobody listened. */
  get unheard(): Iterable<Handle> {
    return this.#unheard.values();
  }

  take(position: string, handle: Handle): 'new' | 'held' | 'acknowledged' {
    if (this.#unheard.delete(position)) return 'acknowledged';
    const known = this.#held.has(position);
    this.#held.set(position, handle);
    this.#former.delete(position);
    return known ? 'held' : 'new';
  }

  /** False once the connection was lost: the broker may have given it to another member, until it brings it again. */
  isOurs(position: string): boolean {
    return this.#held.has(position) && !this.#former.has(position);
  }

  /** Takes the message out of hand for its answer; nothing if it was answered before. */
  release(position: string): Handle | undefined {
    const handle = this.#held.get(position);
    this.#held.delete(position);
    this.#former.delete(position);
    return handle;
  }

  acknowledgedUnheard(position: string, handle: Handle): void {
    this.#unheard.set(position, handle);
  }

  /** The connection went away. What an earlier loss left over had its chance to come again, or went to another member. */
  lost(): void {
    this.#unheard = new Map();
    this.#former = new Set(this.#held.keys());
  }
}
