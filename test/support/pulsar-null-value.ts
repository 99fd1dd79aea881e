import { once } from 'node:events';
import { connect } from 'node:net';

const PRODUCER_NAME = 'a-program-that-sends-null';

/**
 * Publishes a message without a value, as Java's producers do with `value(null)`. Neither Pulsar's WebSocket API nor its REST API
 * can. The topic must be loaded by the broker already, for example because it has a subscription.
 *
 * @param url `pulsar://host:port`
 * @param topic `persistent://tenant/namespace/name`
 */
export async function sendNullValue(url: string, topic: string): Promise<void> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  try {
    await request(socket, command(2, 2, [...text(1, 'carillon-tests'), ...number(4, 19)]), 3);
    const producer = [...text(1, topic), ...number(2, 1), ...number(3, 1), ...text(4, PRODUCER_NAME)];
    await request(socket, command(5, 5, producer), 17);
    const metadata = [...text(1, PRODUCER_NAME), ...number(2, 0), ...number(3, Date.now()), ...number(25, 1)];
    const send = command(6, 6, [...number(1, 1), ...number(2, 0), ...number(3, 1)]);
    await request(socket, send, 7, sized(metadata));
  } finally {
    socket.destroy();
  }
}

/** Sends a frame. Resolves when the broker has answered with a command of this type. */
async function request(
  socket: ReturnType<typeof connect>,
  bytes: Buffer,
  answer: number,
  rest: Buffer = Buffer.alloc(0),
): Promise<void> {
  const frame = Buffer.concat([bytes, rest]);
  const size = Buffer.alloc(4);
  size.writeUInt32BE(frame.length);
  socket.write(Buffer.concat([size, frame]));
  for (;;) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    // Total size, size of the command, then its first field: the type.
    const type = chunk[9];
    if (type === answer) return;
    // The broker may send a ping at any time.
    if (type !== 18) throw new Error(`Pulsar answered with command ${type}: ${chunk.toString('latin1')}`);
  }
}

/** A `BaseCommand` of PulsarApi.proto: its type, and the command in the field for it. */
function command(type: number, field: number, content: readonly number[]): Buffer {
  return sized([...number(1, type), ...tag(field, 2), ...varint(content.length), ...content]);
}

function sized(content: readonly number[]): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(content.length);
  return Buffer.concat([size, Buffer.from(content)]);
}

function number(field: number, value: number): number[] {
  return [...tag(field, 0), ...varint(value)];
}

function text(field: number, value: string): number[] {
  const bytes = Buffer.from(value);
  return [...tag(field, 2), ...varint(bytes.length), ...bytes];
}

function tag(field: number, wireType: number): number[] {
  return varint(field * 8 + wireType);
}

function varint(value: number): number[] {
  const bytes = [];
  for (; value >= 0x80; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
  return [...bytes, value];
}
