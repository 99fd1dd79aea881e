import { Semaphore } from '../../async/index.js';
import { type ConsumerDescription, groupOf } from './consumer.js';
import { ConsumerRefusedError } from './consumer.errors.js';
import type { ConsumerRegistry } from './consumer-registry.js';

/** The consumers of one source. Applies the lists of the source one after the other. */
export class SourcedConsumers {
  #present = new Map<string, ConsumerDescription>();
  readonly #oneAtATime = new Semaphore(1);

  constructor(private readonly registry: ConsumerRegistry) {}

  /**
   * Adds, changes and removes consumers so that they match the list.
   *
   * @throws {ConsumerRefusedError} some consumers were refused; the others match the list
   */
  update(wanted: readonly ConsumerDescription[]): Promise<void> {
    return this.#oneAtATime.run(() => this.#reconcile(wanted));
  }

  async #reconcile(wanted: readonly ConsumerDescription[]): Promise<void> {
    const next = new Map(wanted.map((description) => [groupOf(description), description]));
    const gone = [...this.#present].filter(([group]) => !next.has(group));
    await Promise.all(gone.map(([, description]) => this.registry.remove(description)));
    for (const [group] of gone) this.#present.delete(group);
    const outcomes = await Promise.allSettled([...next].map((entry) => this.#addOrChange(...entry)));
    const refused = outcomes.flatMap((outcome) =>
      outcome.status === 'rejected' ? [String(outcome.reason)] : [],
    );
    if (refused.length > 0) throw new ConsumerRefusedError(refused.join('; '));
  }

  /** `add` refuses a consumer that was declared elsewhere, so that this source does not change it. */
  async #addOrChange(group: string, description: ConsumerDescription): Promise<void> {
    if (this.#present.has(group)) await this.registry.put(description);
    else await this.registry.add(description);
    this.#present.set(group, description);
  }
}
