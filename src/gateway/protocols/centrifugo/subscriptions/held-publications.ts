import type { Publication } from '../../../../delivery/index.js';

/** The approximate memory of a publication without its data. */
const PUBLICATION_BYTES = 100;

/** The publications in a channel while a subscription to it begins. */
export class HeldPublications {
  #publications: Publication[] | undefined = [];
  #bytes = 0;

  /** @param maxBytes approximate limit of the memory; a single publication may be larger */
  constructor(private readonly maxBytes: number) {}

  /** In the order of arrival. Undefined if the limit was exceeded: then all of them were dropped. */
  get publications(): readonly Publication[] | undefined {
    return this.#publications;
  }

  add(publication: Publication): void {
    this.#bytes += PUBLICATION_BYTES + publication.data.length;
    this.#publications?.push(publication);
    if (this.#bytes > this.maxBytes && this.#publications?.length !== 1) this.#publications = undefined;
  }
}
