import { Connection, type ConnectionHost } from '../../connection/connection.js';
import { SharedMessage } from '../../connection/framing.js';
import type { Handshake } from '../../connection/handshake.js';
import type { Codec } from './codec/codec.js';
import { jsonCodec, protobufCodec } from './codec/codecs.js';
import { PublicationFormats } from './codec/publication-formats.js';
import type { SessionTransport } from './session/session-transport.js';
import type { Session } from './session/session.js';
import type { Sessions } from './session/sessions.js';

/** The objects that all connections of one encoding share. */
class Encoding {
  readonly ping: SharedMessage;
  readonly formats: PublicationFormats;

  constructor(readonly codec: Codec) {
    this.ping = new SharedMessage(codec.ping, codec.isText);
    this.formats = new PublicationFormats(codec);
  }
}

const json = new Encoding(jsonCodec);
const protobuf = new Encoding(protobufCodec);

/** The WebSocket subprotocols of the encodings. The first one that a client offers counts. */
export const subprotocols = ['centrifuge-json', 'centrifuge-protobuf'];

/** A client of the Centrifugo protocol. */
export class CentrifugoConnection extends Connection implements SessionTransport {
  readonly #encoding: Encoding;
  readonly #pingsByFrame: boolean;
  readonly #session: Session;

  constructor(handshake: Handshake, host: ConnectionHost, sessions: Sessions) {
    super(handshake, host);
    this.#encoding = wantsProtobuf(handshake) ? protobuf : json;
    this.#pingsByFrame = handshake.query.get('cf_ws_frame_ping_pong') === 'true';
    this.#session = sessions.open(this, handshake);
  }

  get codec(): Codec {
    return this.#encoding.codec;
  }

  get formats(): PublicationFormats {
    return this.#encoding.formats;
  }

  protected override get protocolPing(): SharedMessage | undefined {
    return this.#pingsByFrame ? undefined : this.#encoding.ping;
  }

  send(message: Buffer): void {
    this.sendMessage(message, this.codec.isText);
  }

  startPings(): boolean {
    this.startHeartbeat();
    return !this.#pingsByFrame;
  }

  /** The client's first command says who the client is. */
  override join(): Promise<void> {
    return Promise.resolve();
  }

  protected override onOpen(): void {}

  protected override onInbound(message: Buffer): void {
    this.#session.receiveFrame(this.codec.readFrame(message));
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
