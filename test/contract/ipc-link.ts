import { duplexPair } from 'node:stream';
import { Link } from '../../src/ipc/index.js';

/** Returns the two ends of an in-memory link that behaves like a link between processes. */
export function linkPair(): { readonly primary: Link; readonly worker: Link } {
  const [one, other] = duplexPair();
  return { primary: new Link(one), worker: new Link(other) };
}
