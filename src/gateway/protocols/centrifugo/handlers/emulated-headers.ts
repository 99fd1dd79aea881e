import { HeaderForwarding, type ForwardedHeaders } from '../../../auth/forwarded-headers.js';
import { closeCodes } from '../close-codes.js';
import { DisconnectError } from '../centrifugo.errors.js';

/** Control characters could end a header. */
const INVALID = /[^\t\x20-\x7e\x80-\u{10ffff}]/u;

/** Selects the headers in connect commands that proxies forward, because browsers cannot set those of a handshake. */
export class EmulatedHeaders {
  readonly #forwarding: HeaderForwarding | undefined;

  constructor(names: ReadonlySet<string>, maxBytes: number) {
    this.#forwarding = names.size === 0 ? undefined : new HeaderForwarding([...names], maxBytes);
  }

  /**
   * Returns undefined if there are none.
   * @throws DisconnectError if they are too long or not valid
   */
  of(headers: ReadonlyMap<string, string>): ForwardedHeaders | undefined {
    if (this.#forwarding === undefined || headers.size === 0) return undefined;
    const selected = this.#forwarding.of(Object.fromEntries(headers.entries().map(onWire)));
    if (selected === undefined || Object.values(selected).some((value) => INVALID.test(value)))
      throw new DisconnectError(closeCodes.badRequest);
    return selected;
  }
}

/** The bytes of a header are UTF-8 here, but Node writes one byte for each character. */
function onWire([name, value]: [string, string]): [string, string] {
  return [name.toLowerCase(), Buffer.from(value).toString('latin1')];
}
