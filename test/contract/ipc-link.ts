import { duplexPair } from 'node:stream';
import { Link } from '../../src/ipc/index.js';

/** The two ends of a link, over which everything goes as between processes. */
export function linkPair(): { readonly primary: Link; readonly worker: Link } {
  const [one, other] = duplexPair();
  return { primary: new Link(one), worker: new Link(other) };
}
