import { Connection, type ConnectionHost } from '../../connection/connection.js';
import { encodeFrame, Opcode } from '../../websocket/frame.js';
import type { Handshake } from '../../connection/handshake.js';
import { closeCodesByReason } from './close-codes.js';
import type { Codec } from './codec/codec.js';
import { jsonCodec, protobufCodec } from './codec/codecs.js';
import { PublicationFormats } from './codec/publication-formats.js';
import type { SessionTransport } from './session/session-transport.js';
import type { Session } from './session/session.js';
import type { Sessions } from './session/sessions.js';

/** An encoding as it looks in WebSocket frames: one message of the protocol is one frame. */
class SocketEncoding {
  readonly ping: Buffer;
  readonly formats: PublicationFormats;

  constructor(
    readonly codec: Codec,
    private readonly opcode: Opcode,
  ) {
    this.ping = this.frame(codec.ping);
    this.formats = new PublicationFormats(codec, (message) => this.frame(message));
  }

  frame(message: Buffer): Buffer {
    return encodeFrame(this.opcode, message);
  }
}

const json = new SocketEncoding(jsonCodec, Opcode.text);
const protobuf = new SocketEncoding(protobufCodec, Opcode.binary);

/** As a client asks for them; the first that it names counts. */
export const subprotocols = ['centrifuge-json', 'centrifuge-protobuf'];

/** A client of the Centrifugo protocol on a WebSocket. */
export class CentrifugoConnection extends Connection implements SessionTransport {
  override readonly protocol = 'centrifugo';
  override readonly closeCodes = closeCodesByReason;
  readonly #encoding: SocketEncoding;
  readonly #pingsByFrame: boolean;
  readonly #session: Session;

  constructor(handshake: Handshake, host: ConnectionHost, sessions: Sessions) {
    super(handshake, host);
    this.#encoding = wantsProtobuf(handshake) ? protobuf : json;
    this.#pingsByFrame = handshake.query.get('cf_ws_frame_ping_pong') === 'true';
    this.#session = sessions.open(this);
  }

  get codec(): Codec {
    return this.#encoding.codec;
  }

  get formats(): PublicationFormats {
    return this.#encoding.formats;
  }

  protected override get protocolPing(): Buffer | undefined {
    return this.#pingsByFrame ? undefined : this.#encoding.ping;
  }

  send(message: Buffer): void {
    this.sendFrame(this.#encoding.frame(message));
  }

  startPings(): boolean {
    this.startHeartbeat();
    return !this.#pingsByFrame;
  }

  /** Who the client is, its first command says. */
  override join(): Promise<void> {
    return Promise.resolve();
  }

  protected override onOpen(): void {}

  protected override onInbound(data: Buffer): void {
    this.#session.take(this.codec.decodeFrame(data));
  }

  protected override leave(): void {
    this.#session.end();
  }
}

function wantsProtobuf({ query, subprotocols: asked }: Handshake): boolean {
  const granted = asked.find((each) => subprotocols.includes(each));
  return (
    granted === 'centrifuge-protobuf' ||
    query.get('format') === 'protobuf' ||
    query.get('cf_protocol') === 'protobuf'
  );
}
