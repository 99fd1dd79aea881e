import type { Command } from './commands.js';
import type { ReplyError } from '../centrifugo.errors.js';
import type { AnsweredMethod, Publication, Pushes, PushKind, Results } from './replies.js';

/** Takes the place of the malformed rest of a frame. The connection is closed as `badRequest` after the commands before it. */
export const MALFORMED = Symbol('malformed');

/** The commands of one frame, decoded one at a time, so that a frame of thousands does not hold the event loop. */
export interface FrameReader {
  /** Returns the next command in the order of the frame; undefined after the last one and after {@link MALFORMED}. */
  next(): Command | typeof MALFORMED | undefined;
  /** The number of bytes that are not decoded yet. */
  readonly bytesLeft: number;
}

/**
 * One of the two encodings of the client protocol.
 *
 * Decoding never throws. Encoding returns the bytes of one message. Payloads are
 * copied unchanged, so the caller has to check that the encoding can carry them: one JSON text in UTF-8 for JSON, any bytes for
 * Protobuf.
 */
export interface Codec {
  readonly encoding: 'json' | 'protobuf';
  /** Whether its messages are text. */
  readonly isText: boolean;
  readonly readFrame: (frame: Buffer) => FrameReader;
  readonly encodeResult: <M extends AnsweredMethod>(id: number, method: M, result: Results[M]) => Buffer;
  readonly encodeError: (id: number, error: ReplyError) => Buffer;
  /** @param channel empty for a push that concerns the connection */
  readonly encodePush: <K extends PushKind>(kind: K, channel: string, body: Pushes[K]) => Buffer;
  /** Returns the same bytes as `encodePush('pub', …)`, but faster: it runs once per publication of a fan-out. */
  readonly encodePublicationPush: (channel: string, publication: Publication) => Buffer;
  readonly ping: Buffer;
}
