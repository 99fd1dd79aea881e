import type { Publication } from '../../../../delivery/index.js';
import type { CloseCode } from '../../../connection/close-codes.js';
import type { SharedMessage } from '../../../connection/framing.js';
import type { PublicationFormat } from '../../../connection/publication-format.js';
import type { Codec } from '../codec/codec.js';
import type { PublicationFormats } from '../codec/publication-formats.js';

/** What carries a session to its client. */
export interface SessionTransport {
  /** The id of the connection, which the client is told. */
  readonly id: string;
  readonly network: string;
  readonly codec: Codec;
  readonly formats: PublicationFormats;
  /** Sends one encoded message. */
  send(message: Buffer): void;
  /** Sends a message whose bytes all its receivers share. */
  sendShared(message: SharedMessage): void;
  /** The hot path: one reference to bytes that all subscribers share. */
  deliver(publication: Publication, format: PublicationFormat): void;
  /** Answers whether the pings are the protocol's own, so that the client has to be told of them. */
  startPings(): boolean;
  /** The client answered a ping. Answers whether there was one to answer. */
  pong(): boolean;
  /** Resolves when a message beyond the bound of what may wait for the client has left; undefined where there is none. */
  caughtUp(): Promise<void> | undefined;
  /** Takes nothing more from the client for a while. */
  pause(): void;
  resume(): void;
  /** Ends the connection with a reason, and {@link Session.end} follows. */
  close(code: CloseCode): void;
  /** Cuts the connection without a word. */
  terminate(): void;
}
