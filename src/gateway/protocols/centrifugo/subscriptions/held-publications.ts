import type { Publication } from '../../../../delivery/index.js';

/** What a publication takes beside its data, roughly. */
const PUBLICATION_BYTES = 100;

/** What is published in a channel while the subscription to it begins. */
export class HeldPublications {
  #publications: Publication[] | undefined = [];
  #bytes = 0;

  /** @param maxBytes of data and what goes with them, roughly; one publication may be larger by itself */
  constructor(private readonly maxBytes: number) {}

  /** In the order of their arrival; `undefined` where more came than can be held: then none is. */
  get publications(): readonly Publication[] | undefined {
    return this.#publications;
  }

  add(publication: Publication): void {
    this.#bytes += PUBLICATION_BYTES + publication.data.length;
    this.#publications?.push(publication);
    if (this.#bytes > this.maxBytes && this.#publications?.length !== 1) this.#publications = undefined;
  }
}
