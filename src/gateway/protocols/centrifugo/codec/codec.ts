import type { Command } from './commands.js';
import type { ReplyError } from '../centrifugo.errors.js';
import type { AnsweredMethod, Publication, Pushes, PushKind, Results } from './replies.js';

export interface DecodedFrame {
  /** In the order of the frame; where there is a fault, those before it. */
  readonly commands: readonly Command[];
  /** Why the rest of the frame is not the protocol's: the connection is closed as `badRequest` once `commands` are done. */
  readonly fault: string | undefined;
}

/**
 * One encoding of the client protocol. A connection holds one of the two and never asks which.
 *
 * Decoding throws nothing and bounds what it builds by the size of the frame. Encoding gives the bytes of one
 * message; several make a frame when joined as the encoding's transport wants it. Payloads pass as they are, so they
 * have to be what the encoding can carry: one JSON text in UTF-8 for JSON, anything for Protobuf.
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
  /** The same bytes as `encodePush('pub', …)`, faster: the hot path of a fan-out, once per publication. */
  readonly encodePublicationPush: (channel: string, publication: Publication) => Buffer;
  readonly ping: Buffer;
}
