/**
 * Stores the plan of a request under its idempotency key, so that a retried request is not executed twice.
 *
 * `reserve` stores the plan of a request (for example the ids that its messages will have) before the request is executed. If the
 * key has a plan already, `reserve` returns that plan, and the caller follows it. Because the plan contains the ids, executing it
 * twice, even at the same moment in two processes, creates each message once.
 *
 * `replace` changes the state of a plan (executed, undone), so that concurrent attempts agree on the result.
 *
 * Every adapter promises:
 * - Of two concurrent `reserve` calls for one key, exactly one stores its plan, and both return the same plan.
 * - Of two concurrent `replace` calls for one plan, exactly one takes effect, and both return the plan that is then in force.
 * - A plan is kept for at least `ttlMs` after it was stored.
 * - `release` deletes the plan of a request that was refused before it was executed.
 *
 * Not promised: that a plan survives the loss of the store's data.
 */
export abstract class Idempotency {
  /** Resolves to the plan in force for `key`: the given one, or the one that was stored before. */
  abstract reserve(key: string, plan: string, ttlMs: number): Promise<string>;
  /** Stores `next` if `plan` is still in force, or if the key is unknown. Resolves to the plan that is then in force. */
  abstract replace(key: string, plan: string, next: string, ttlMs: number): Promise<string>;
  abstract release(key: string): Promise<void>;
  abstract close(): Promise<void>;
}
