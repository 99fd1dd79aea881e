/**
 * Remembers for a while what was answered to a key, so that a retried request is not carried out twice.
 *
 * A key is used in two steps. `reserve` stores the plan of a request (for example the ids that its messages will have)
 * before anything is done, unless the key is known: then it returns what is stored, and the caller follows the stored plan.
 * As the plan names the ids, carrying it out twice, even at the same moment on two nodes, gives one message each.
 *
 * Promised: of two concurrent reservations of one key exactly one stores its plan, and both get the same one back.
 * A plan is kept for at least `ttlMs`. `release` forgets it (a request refused before anything was done).
 * Not promised: that a plan outlives the store's own data.
 */
export abstract class Idempotency {
  /** Returns the plan in force for `key`: the one given, or the one that was stored earlier. */
  abstract reserve(key: string, plan: string, ttlMs: number): Promise<string>;
  abstract release(key: string): Promise<void>;
  abstract close(): Promise<void>;
}
