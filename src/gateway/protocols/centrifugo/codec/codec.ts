import type { Command } from './commands.js';
import type { ReplyError } from '../centrifugo.errors.js';
import type { AnsweredMethod, Publication, Pushes, PushKind, Results } from './replies.js';

export interface DecodedFrame {
  /** In the order of the frame. If there is a fault, the commands before it. */
  readonly commands: readonly Command[];
  /** Why the rest of the frame is malformed. The connection is closed as `badRequest` after `commands` are done. */
  readonly fault: string | undefined;
}

/**
 * One of the two encodings of the client protocol.
 *
 * Decoding never throws, and the result is bounded by the size of the frame. Encoding returns the bytes of one message. Payloads are
 * copied unchanged, so the caller has to check that the encoding can carry them: one JSON text in UTF-8 for JSON, any bytes for
 * Protobuf.
 */
export interface Codec {
  readonly encoding: 'json' | 'protobuf';
  /** Whether its messages are text. */
  readonly isText: boolean;
  readonly decodeFrame: (frame: Buffer) => DecodedFrame;
  readonly encodeResult: <M extends AnsweredMethod>(id: number, method: M, result: Results[M]) => Buffer;
  readonly encodeError: (id: number, error: ReplyError) => Buffer;
  /** @param channel empty for a push that concerns the connection */
  readonly encodePush: <K extends PushKind>(kind: K, channel: string, body: Pushes[K]) => Buffer;
  /** Returns the same bytes as `encodePush('pub', …)`, but faster: it runs once per publication of a fan-out. */
  readonly encodePublicationPush: (channel: string, publication: Publication) => Buffer;
  readonly ping: Buffer;
}
