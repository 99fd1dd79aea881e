import { describe, expect, it } from '@jest/globals';
import { Centrifuge } from 'centrifuge/build/protobuf';
import * as fc from 'fast-check';
import { protobufCodec } from './codecs.js';
import type { Command, Requests } from './commands.js';
import { replyErrors } from '../centrifugo.errors.js';
import { pushes, results } from './reply-schemas.js';
import type { AnsweredMethod, PushKind } from './replies.js';
import { requests } from './request-schemas.js';
import { decodedFrame } from '../../../../../test/support/decoded-frame.js';
import { snakeCase, type Field, type Schema } from '../../../../schema/index.js';

type Json = Record<string, unknown>;

/** The codec of the official client, used as the peer of ours. */
interface Peer {
  encodeCommands(commands: readonly Json[]): Uint8Array;
  decodeReplies(frame: Uint8Array): Json[];
}
const client = new Centrifuge('ws://127.0.0.1:1', { websocket: class {} });
const peer = Reflect.get(client, '_codec') as Peer;

const numbers: Partial<Record<Field['kind'], fc.Arbitrary<number>>> = {
  uint32: fc.nat(0xffffffff),
  int32: fc.integer(),
  uint64: fc.maxSafeNat(),
  int64: fc.maxSafeInteger(),
  sint64: fc.maxSafeInteger(),
};

/** Generates messages of a schema, in our form. */
function messageOf(schema: Schema, depth = 0): fc.Arbitrary<Json> {
  return fc.record(Object.fromEntries(schema.fields.map((field) => [field.name, fieldOf(field, depth)])));
}

function fieldOf(field: Field, depth: number): fc.Arbitrary<unknown> {
  if (field.kind === 'message' && depth > 2) return fc.constant(field.many === 'list' ? [] : undefined);
  const one = valueOf(field, depth);
  if (field.many === 'list') return fc.array(one, { maxLength: 3 });
  if (field.many === 'map') {
    return fc
      .uniqueArray(fc.tuple(mapKey, one), { maxLength: 3, selector: ([key]) => key })
      .map((entries) => new Map(entries));
  }
  return one;
}

const text = fc.string({ unit: 'grapheme' });

/** A name that the plain objects of the peer cannot have. */
const mapKey = text.filter((name) => name !== '__proto__');

function valueOf(field: Field, depth: number): fc.Arbitrary<unknown> {
  if (field.kind === 'message') return messageOf(field.of!(), depth + 1);
  if (field.kind === 'string') return text;
  if (field.kind === 'bool') return fc.boolean();
  if (field.kind === 'payload') return fc.uint8Array({ minLength: 1 }).map((bytes) => Buffer.from(bytes));
  return numbers[field.kind]!;
}

/** Converts our form to the form of the peer: snake_case, plain objects for maps. */
function toPeer(schema: Schema, message: Json): Json {
  const element = (field: Field, value: unknown): unknown =>
    field.of === undefined ? value : toPeer(field.of(), value as Json);
  const wire: Json = {};
  for (const field of schema.fields) {
    const value = message[field.name];
    if (value instanceof Map) {
      wire[field.key] = Object.fromEntries([...value].map(([key, each]) => [key, element(field, each)]));
    } else if (field.many === 'list')
      wire[field.key] = (value as unknown[]).map((each) => element(field, each));
    else if (value !== undefined) wire[field.key] = element(field, value);
  }
  return wire;
}

/** Converts the form of the peer to our form, with the zero values that the peer omits. */
function fromPeer(schema: Schema, wire: Json): Json {
  const element = (field: Field, value: unknown): unknown => {
    if (field.of !== undefined) return fromPeer(field.of(), value as Json);
    if (field.kind === 'payload') return Buffer.from(value as Uint8Array);
    return typeof value === 'object' ? Number(value) : value;
  };
  const message: Json = { ...schema.zero };
  for (const field of schema.fields) {
    if (!Object.hasOwn(wire, field.key)) continue;
    const value = wire[field.key];
    if (field.many === 'map') {
      message[field.name] = new Map(
        Object.entries(value as Json).map(([key, each]) => [key, element(field, each)]),
      );
    } else if (field.many === 'list')
      message[field.name] = (value as unknown[]).map((each) => element(field, each));
    else message[field.name] = element(field, value);
  }
  return message;
}

const decode = (frame: Uint8Array): readonly Command[] => {
  const decoded = decodedFrame(protobufCodec.readFrame(Buffer.from(frame)));
  expect(decoded.isMalformed).toBe(false);
  return decoded.commands;
};

const run = { numRuns: 30 };

describe('commands of the official client', () => {
  it.each(requests)('are decoded: $method', ({ method, schema }) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 0xffffffff }), messageOf(schema), (id, request) => {
        const frame = peer.encodeCommands([{ id, [snakeCase(method)]: toPeer(schema, request) }]);
        expect(decode(frame)).toEqual([{ id, method, request }]);
      }),
      run,
    );
  });

  it('are decoded if there are several in a frame', () => {
    const frame = peer.encodeCommands([
      { id: 1, connect: {} },
      {},
      { id: 2, rpc: { method: 'm' } },
      { send: {} },
    ]);
    expect(decode(frame).map(({ id, method }) => [id, method])).toEqual([
      [1, 'connect'],
      [0, 'pong'],
      [2, 'rpc'],
      [0, 'send'],
    ]);
  });

  it('are the first request in the order of the protocol', () => {
    const [command] = decode(peer.encodeCommands([{ id: 1, rpc: {}, send: {}, publish: { channel: 'p' } }]));
    expect(command?.method).toBe('publish');
  });

  it('distinguish an empty payload from no payload', () => {
    const data = (request: Json): unknown =>
      (decode(peer.encodeCommands([{ id: 1, publish: request }]))[0]!.request as Requests['publish']).data;
    expect(data({})).toBeUndefined();
    expect(data({ data: new Uint8Array() })).toBeUndefined();
    expect(data({ data: new Uint8Array([0]) })).toEqual(Buffer.from([0]));
  });
});

describe('replies for the official client', () => {
  it.each(Object.keys(results) as AnsweredMethod[])('are decoded by it: %s', (method) => {
    const schema: Schema = results[method].schema;
    fc.assert(
      fc.property(fc.nat(0xffffffff), messageOf(schema), (id, result) => {
        const [reply] = peer.decodeReplies(protobufCodec.encodeResult(id, method, result));
        expect(fromPeer(schema, reply![snakeCase(method)] as Json)).toEqual(result);
        expect(reply!['id']).toBe(id);
      }),
      run,
    );
  });

  it.each(Object.keys(pushes) as PushKind[])('may be pushes: %s', (kind) => {
    const schema: Schema = pushes[kind].schema;
    fc.assert(
      fc.property(text, messageOf(schema), (channel, body) => {
        const [reply] = peer.decodeReplies(protobufCodec.encodePush(kind, channel, body));
        const push = reply!['push'] as Json;
        expect(push['channel']).toBe(channel);
        expect(fromPeer(schema, push[kind] as Json)).toEqual(body);
      }),
      run,
    );
  });

  it('accept the tags of a publication as a plain object', () => {
    const frame = protobufCodec.encodePublicationPush('c', { data: Buffer.from([1]), tags: { a: 'b' } });
    expect(peer.decodeReplies(frame)).toMatchObject([{ push: { channel: 'c', pub: { tags: { a: 'b' } } } }]);
  });

  it('may be errors', () => {
    const [reply] = peer.decodeReplies(protobufCodec.encodeError(3, replyErrors.internal));
    expect(reply).toMatchObject({ id: 3, error: replyErrors.internal });
  });

  it('may be pings', () => {
    const [reply] = peer.decodeReplies(protobufCodec.ping);
    expect(Object.keys(reply!)).toEqual([]);
  });

  it('can follow one another, even after one that could not be encoded', () => {
    expect(() => protobufCodec.encodeResult(1, 'connect', { ttl: -1 })).toThrow('uint32');
    const frame = Buffer.concat([
      protobufCodec.encodeResult(1, 'publish', {}),
      protobufCodec.encodeResult(2, 'rpc', { data: Buffer.alloc(100_000, 1) }),
      protobufCodec.encodeResult(3, 'unsubscribe', {}),
    ]);
    expect(peer.decodeReplies(frame).map((reply) => reply['id'])).toEqual([1, 2, 3]);
  });
});

describe('a malformed frame', () => {
  const valid = Buffer.from(
    peer.encodeCommands([
      { id: 1, connect: { token: 'token', subs: { a: { recover: true, offset: 7 } }, headers: { k: 'v' } } },
      { id: 2, subscribe: { channel: 'c', tf: { op: 'and', nodes: [{ key: 'k', cmp: 'eq', val: 'v' }] } } },
    ]),
  );
  const isMalformed = (bytes: Buffer): boolean => decodedFrame(protobufCodec.readFrame(bytes)).isMalformed;

  it.each([
    ['is empty', []],
    ['has a length without a message', [5]],
    ['has a length that does not end', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
    ['has a huge length', [0xff, 0xff, 0xff, 0xff, 0x0f, 8, 1]],
    ['has an id without a request', [2, 8, 1]],
    ['has a request of another wire type', [4, 8, 1, 56, 1]],
    ['has a field of another wire type', [6, 8, 1, 58, 2, 8, 1]],
    ['has a nested message beyond its own end', [5, 8, 1, 58, 9, 0]],
    ['has a field beyond the end of its message', [8, 8, 1, 58, 2, 10, 5, 97, 97]],
    ['has a string that is not UTF-8', [7, 8, 1, 58, 3, 10, 1, 0xff]],
    ['has a field number of zero', [2, 0, 1]],
  ])('%s', (_, bytes) => {
    expect(isMalformed(Buffer.from(bytes))).toBe(true);
  });

  it('returns the commands before it, and the fault', () => {
    const decoded = decodedFrame(protobufCodec.readFrame(valid.subarray(0, valid.length - 1)));
    expect(decoded.commands.map(({ id }) => id)).toEqual([1]);
    expect(decoded.isMalformed).toBe(true);
  });

  it('is not one with unknown fields, which are skipped', () => {
    expect(isMalformed(Buffer.from([10, 8, 1, 0xa2, 6, 1, 7, 58, 2, 0x18, 0]))).toBe(false);
  });

  it('is one with a filter that is nested too deeply', () => {
    const filter = (depth: number): Json => (depth === 0 ? {} : { op: 'not', nodes: [filter(depth - 1)] });
    const frame = (depth: number): Buffer =>
      Buffer.from(peer.encodeCommands([{ id: 1, subscribe: { channel: 'a', tf: filter(depth) } }]));
    expect(isMalformed(frame(20))).toBe(false);
    expect(isMalformed(frame(100))).toBe(true);
  });

  it('never makes the decoder throw', () => {
    const mutated = fc
      .array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 5 })
      .map((changes) => {
        const bytes = Buffer.from(valid);
        for (const [at, byte] of changes) bytes[at] = byte;
        return bytes;
      });
    const noise = fc.uint8Array().map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.oneof(mutated, noise), (frame) => {
        const { commands } = decodedFrame(protobufCodec.readFrame(frame));
        expect(commands.length).toBeLessThanOrEqual(frame.length);
      }),
      { numRuns: 3000 },
    );
  });
});
