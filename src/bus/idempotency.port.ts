/**
 * Remembers for a while what was answered to a key, so that a retried request is not carried out twice.
 *
 * A key is used in two steps. `reserve` stores the plan of a request (for example the ids that its messages will have)
 * before anything is done, unless the key is known: then it returns what is stored, and the caller follows the stored plan.
 * As the plan names the ids, carrying it out twice, even at the same moment on two nodes, gives one message each.
 *
 * `replace` moves a plan on (carried out, undone), so that attempts that run at the same moment agree on what became of it.
 *
 * Promised: of two concurrent reservations of one key exactly one stores its plan, and both get the same one back; of
 * two concurrent replacements of one plan exactly one takes place, and both get what is then in force.
 * A plan is kept for at least `ttlMs` after it was stored. `release` forgets it (a request refused before anything was done).
 * Not promised: that a plan outlives the store's own data.
 */
export abstract class Idempotency {
  /** Returns the plan in force for `key`: the one given, or the one that was stored earlier. */
  abstract reserve(key: string, plan: string, ttlMs: number): Promise<string>;
  /** Stores `next` if `plan` is still in force (a forgotten key counts so), and returns the plan in force afterwards. */
  abstract replace(key: string, plan: string, next: string, ttlMs: number): Promise<string>;
  abstract release(key: string): Promise<void>;
  abstract close(): Promise<void>;
}
