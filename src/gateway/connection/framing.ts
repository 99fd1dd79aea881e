let framings = 0;

/**
 * How messages look on one kind of transport: what a WebSocket, an event stream or a length-prefixed stream puts around
 * them. There is one object per kind for the life of the process, because frames are cached by it.
 */
export abstract class Framing {
  /** Its place in every cache of frames. */
  readonly index = framings++;

  /** The name of the transport, such as `websocket`, for authorizers. */
  abstract readonly transport: string;

  /** The transport's own ping; undefined if it has none, so that only a protocol can ping. */
  abstract readonly ping: Buffer | undefined;

  /**
   * Returns one whole frame, which may be joined with others into one write.
   * @param isText whether the message is UTF-8 text
   */
  abstract frame(message: Uint8Array, isText: boolean): Buffer;
}

/** A message that many connections send, such as a ping: framed once for each kind of transport. */
export class SharedMessage {
  readonly #frames: Buffer[] = [];

  constructor(
    readonly bytes: Uint8Array,
    readonly isText: boolean,
  ) {}

  on(framing: Framing): Buffer {
    return (this.#frames[framing.index] ??= framing.frame(this.bytes, this.isText));
  }
}
