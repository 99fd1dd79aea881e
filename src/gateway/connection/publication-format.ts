import type { Publication } from '../../delivery/index.js';
import type { Framing } from './framing.js';

/** Represents a publication that an encoding cannot carry, such as bytes in JSON. */
export const unencodable = Buffer.alloc(0);

let slots = 0;

/**
 * The bytes of publications in one encoding. The first subscriber pays for the encoding, and the publication keeps the
 * bytes for all others. There is one object per encoding for the life of the process: each takes a slot.
 */
export class PublicationEncoding {
  readonly #slot = slots++;
  readonly #encode: (publication: Publication) => Buffer;

  constructor(encode: (publication: Publication) => Buffer) {
    this.#encode = encode;
  }

  of(publication: Publication): Buffer {
    return (publication.frames[this.#slot] ??= this.#encode(publication));
  }
}

/**
 * The frames of publications in one encoding: encoded once for all transports, framed once for each kind of transport,
 * and kept with the publication. Like an encoding, a format lives as long as the process.
 */
export class PublicationFormat {
  readonly #encoding: PublicationEncoding;
  readonly #isText: (publication: Publication) => boolean;
  /** The frames by the index of the framing. */
  readonly #slots: number[] = [];
  #lastFraming: Framing | undefined;
  #lastSlot = 0;

  constructor(encode: (publication: Publication) => Buffer, isText: (publication: Publication) => boolean) {
    this.#encoding = new PublicationEncoding(encode);
    this.#isText = isText;
  }

  /** Returns {@link unencodable} for a publication that the encoding cannot carry. */
  of(publication: Publication, framing: Framing): Buffer {
    // Subscribers in a row mostly have the same transport, and this comparison is faster than the list of slots.
    if (framing !== this.#lastFraming) {
      this.#lastFraming = framing;
      this.#lastSlot = this.#slots[framing.index] ??= slots++;
    }
    return (publication.frames[this.#lastSlot] ??= this.#frame(publication, framing));
  }

  #frame(publication: Publication, framing: Framing): Buffer {
    const message = this.#encoding.of(publication);
    return message === unencodable ? unencodable : framing.frame(message, this.#isText(publication));
  }
}
