/* oxlint-disable no-underscore-dangle -- private names of `ws` */
import type { Writable } from 'node:stream';

type Done = (error?: Error | null) => void;

/** What decides whether a receiver may go on with the next frame. A transport is one. */
export interface FrameGate {
  isShut: boolean;
  /** Whether the gate was shut while the receiver was in the middle of a chunk. */
  stoppedLoop: boolean;
  /** Continues with what was held back while the gate was shut; undefined if there is nothing. */
  held: (() => void) | undefined;
}

/** The receiver of `ws`, with the private parts that are used here. They are those of the pinned version. */
export interface FrameReceiver extends Writable {
  /** Whether it goes on with the next frame of the chunk. */
  _loop: boolean;
  /** The chunks of an incomplete frame. */
  _buffers: Buffer[];
  /** The payloads of an incomplete message. */
  _fragments: Buffer[];
  /** The length and the kind of the frame that has begun. */
  readonly _payloadLength: number;
  readonly _opcode: number;
  /** The length of the message so far. */
  _totalPayloadLength: number;
  gate: FrameGate;
  startLoop(done: Done): void;
  /** Called when the length of a frame is known. */
  haveLength(done: Done): void;
}

const FIRST_CONTROL_OPCODE = 0x08;
/** More pieces than this of one frame or message are joined: each one costs some 200 bytes beside its own. */
const MAX_PIECES = 32;

/**
 * Makes a receiver stop between two frames while the gate is shut, although both came in one chunk, and makes it join what
 * comes in small pieces. Chunks that it has not consumed make `ws` stop reading from the TCP socket.
 */
export function guardReceiver(receiver: FrameReceiver, gate: FrameGate): void {
  receiver.gate = gate;
  receiver._write = write;
  receiver.end = end;
}

/** Makes a receiver refuse frames that are larger than this, as it refuses messages that are too large. */
export function limitFrames(receiver: FrameReceiver, maxBytes: number): void {
  receiver.haveLength = function haveLength(done) {
    // `ws` compares the length of the message with its own limit.
    if (this._opcode < FIRST_CONTROL_OPCODE && this._payloadLength > maxBytes)
      this._totalPayloadLength = Infinity;
    original(this).haveLength.call(this, done);
  };
}

export function shut(receiver: FrameReceiver, gate: FrameGate): void {
  // After its end nothing would open the gate again.
  if (receiver.writableEnded) return;
  gate.isShut = true;
  if (!receiver._loop) return;
  receiver._loop = false;
  gate.stoppedLoop = true;
}

export function open(receiver: FrameReceiver, gate: FrameGate): void {
  gate.isShut = false;
  if (gate.stoppedLoop) {
    gate.stoppedLoop = false;
    receiver._loop = true;
  }
  const { held } = gate;
  gate.held = undefined;
  held?.();
}

function write(this: FrameReceiver, chunk: Buffer, encoding: BufferEncoding, done: Done): void {
  const parse = (): void => original(this)._write.call(this, chunk, encoding, afterFrames(this, done));
  if (this.gate.isShut) this.gate.held = parse;
  else parse();
}

/** The client is gone: what is held back must not keep the receiver from finishing. */
function end(this: FrameReceiver): FrameReceiver {
  (original(this).end as () => void).call(this);
  open(this, this.gate);
  return this;
}

/** Called when the whole frames of a chunk are done, or when the gate was shut in the middle of it. */
function afterFrames(receiver: FrameReceiver, done: Done): Done {
  return (error) => {
    const { gate } = receiver;
    gate.stoppedLoop = false;
    if (error) done(error);
    else if (gate.isShut) gate.held = () => receiver.startLoop(afterFrames(receiver, done));
    else {
      joinPieces(receiver._buffers);
      joinPieces(receiver._fragments);
      done();
    }
  };
}

function original(receiver: FrameReceiver): FrameReceiver {
  return Object.getPrototypeOf(receiver) as FrameReceiver;
}

/**
 * Joins the last pieces if there are many, so far back as they are not much smaller than what follows. So their sizes stay
 * a geometric row, and every byte is copied only a few times, however long the message is.
 */
export function joinPieces(pieces: Buffer[]): void {
  if (pieces.length <= MAX_PIECES) return;
  let from = pieces.length - 1;
  let bytes = pieces[from]!.length;
  while (from > 0 && pieces[from - 1]!.length <= 2 * bytes) bytes += pieces[--from]!.length;
  const joined = Buffer.allocUnsafeSlow(bytes);
  let at = 0;
  for (const piece of pieces.splice(from)) {
    joined.set(piece, at);
    at += piece.length;
  }
  pieces.push(joined);
}
