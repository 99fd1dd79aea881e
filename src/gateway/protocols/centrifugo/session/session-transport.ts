import type { Publication } from '../../../../delivery/index.js';
import type { CloseCode } from '../../../connection/close-codes.js';
import type { SharedMessage } from '../../../connection/framing.js';
import type { PauseCause } from '../../../connection/pause-cause.js';
import type { PublicationFormat } from '../../../connection/publication-format.js';
import type { Codec } from '../codec/codec.js';
import type { PublicationFormats } from '../codec/publication-formats.js';

/** The connection of a session. */
export interface SessionTransport {
  /** The id of the connection, which the client receives. */
  readonly id: string;
  readonly network: string;
  readonly codec: Codec;
  readonly formats: PublicationFormats;
  /** Sends one encoded message. */
  send(message: Buffer): void;
  /** Sends a message whose bytes all its receivers share. */
  sendShared(message: SharedMessage): void;
  /** The hot path: one reference to bytes that all subscribers share. Returns whether the publication is on its way to the client. */
  deliver(publication: Publication, format: PublicationFormat): boolean;
  /** Counts publications of a channel that the encoding of this client cannot carry. */
  leftOut(channel: string, count: number): void;
  /** Starts the heartbeat. Returns whether its pings are messages of the protocol, which the reply to connect has to announce. */
  startPings(): boolean;
  /** The client replied to a ping. Returns whether there was one. */
  pong(): boolean;
  /** Resolves when the client may be sent more answers. Returns undefined if it may be now. */
  caughtUp(): Promise<void> | undefined;
  /** Stops reading from the client until {@link resume} was called for each cause. */
  pause(cause: PauseCause): void;
  resume(cause: PauseCause): void;
  /** Closes the connection with a code and a reason. {@link Session.end} follows. */
  close(code: CloseCode): void;
  /** Closes the connection without a close frame. */
  terminate(): void;
}
