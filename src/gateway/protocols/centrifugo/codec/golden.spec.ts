import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { jsonCodec } from './codecs.js';
import type { Command } from './commands.js';
import type { ReplyError } from '../centrifugo.errors.js';
import { pushes, results } from './reply-schemas.js';
import type { AnsweredMethod, Publication, PushKind } from './replies.js';
import { requests } from './request-schemas.js';
import { decodedFrame } from '../../../../../test/support/decoded-frame.js';
import { snakeCase, type Field, type Schema } from '../../../../schema/index.js';

interface Step {
  send?: string;
  recv?: string;
  recv_chunk?: string;
}

/** Exchanges recorded from Centrifugo 6.9.1. Placeholders replace what varies between runs. */
const scenarios = (
  JSON.parse(
    readFileSync(new URL('../../../../../test/golden/centrifugo.json', import.meta.url), 'utf8'),
  ) as {
    name: string;
    steps: Step[];
  }[]
).map(({ name, steps }) => ({ name, steps: JSON.parse(filled(JSON.stringify(steps))) as Step[] }));

function filled(text: string): string {
  return text.replaceAll('\\"{{time_ms}}\\"', '1790000000000').replaceAll(/\{\{(\w+)\}\}/g, '$1');
}

/** The scenarios whose last frame is malformed, so that Centrifugo closed with 3501. */
const malformed = [
  'frame_empty',
  'frame_blank_line',
  'frame_unknown_command',
  'frame_ping_command',
  'frame_id_too_large',
  'frame_json_array',
  'frame_pretty_json',
];

type Json = Record<string, unknown>;

/** Returns a decoded request in the form of the client: payloads parsed, zero values left out. */
function toWire(schema: Schema, message: object): Json {
  const wire: Json = {};
  for (const field of schema.fields) {
    const value = (message as Json)[field.name];
    if (field.kind === 'payload') {
      if (value !== undefined) wire[field.key] = JSON.parse((value as Buffer).toString());
    } else if (value instanceof Map) {
      wire[field.key] = Object.fromEntries(
        [...value].map(([key, element]) => [key, elementToWire(field, element)]),
      );
    } else if (field.many === 'list') {
      wire[field.key] = (value as unknown[]).map((element) => elementToWire(field, element));
    } else if (value !== undefined) wire[field.key] = elementToWire(field, value);
  }
  return withoutZeros(wire);
}

const elementToWire = (field: Field, value: unknown): unknown =>
  field.of === undefined ? value : toWire(field.of(), value as object);

function withoutZeros(wire: Json): Json {
  const isZero = (key: string, value: unknown): boolean =>
    key !== 'data' &&
    (value === 0 ||
      value === '' ||
      value === false ||
      (typeof value === 'object' && Object.keys(value ?? {}).length === 0));
  return Object.fromEntries(Object.entries(wire).filter(([key, value]) => !isZero(key, value)));
}

/** Returns a parsed reply in the form of the server: camelCase, payloads as bytes, maps as `Map`. */
function fromWire(schema: Schema, wire: Json): object {
  const element = (field: Field, value: unknown): unknown => {
    if (field.kind === 'payload') return Buffer.from(JSON.stringify(value));
    return field.of === undefined ? value : fromWire(field.of(), value as Json);
  };
  const message: Json = {};
  for (const [key, value] of Object.entries(wire)) {
    const field = schema.fields.find((candidate) => candidate.key === key)!;
    expect(field).toBeDefined();
    if (field.many === 'map') {
      message[field.name] = new Map(
        Object.entries(value as Json).map(([name, each]) => [name, element(field, each)]),
      );
    } else if (field.many === 'list')
      message[field.name] = (value as unknown[]).map((each) => element(field, each));
    else message[field.name] = element(field, value);
  }
  return message;
}

function encode(line: string): Buffer {
  const reply = JSON.parse(line) as { id?: number; error?: ReplyError; push?: Json } & Json;
  if (line === '{}') return jsonCodec.ping;
  if (reply.error !== undefined) return jsonCodec.encodeError(reply.id!, reply.error);
  if (reply.push !== undefined) return encodePush(reply.push);
  // Unidirectional transports omit the envelope.
  if (reply.id === undefined) return encodePush(reply).subarray('{"push":'.length, -'}'.length);
  const method = (Object.keys(results) as AnsweredMethod[]).find((name) => snakeCase(name) in reply)!;
  return jsonCodec.encodeResult(
    reply.id,
    method,
    fromWire(results[method].schema, reply[snakeCase(method)] as Json),
  );
}

function encodePush(push: Json): Buffer {
  const kind = (Object.keys(pushes) as PushKind[]).find((name) => name in push)!;
  const channel = (push['channel'] ?? '') as string;
  const body = fromWire(pushes[kind].schema, push[kind] as Json);
  const bytes = jsonCodec.encodePush(kind, channel, body);
  if (kind === 'pub') {
    expect(jsonCodec.encodePublicationPush(channel, body as Publication)).toEqual(bytes);
  }
  return bytes;
}

describe('recorded commands of clients', () => {
  const cases = scenarios
    .map(({ name, steps }) => ({ name, frames: steps.flatMap(({ send }) => send ?? []) }))
    .filter(({ frames }) => frames.length > 0);

  it.each(cases)('are decoded: $name', ({ name, frames }) => {
    for (const [at, frame] of frames.entries()) {
      const { commands, isMalformed } = decodedFrame(jsonCodec.readFrame(Buffer.from(frame)));
      expect(isMalformed).toBe(malformed.includes(name) && at === frames.length - 1);
      if (isMalformed) return;
      const lines = frame
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Json | null);
      expect(commands.map(described)).toEqual(lines.map(expected));
    }
  });

  const described = ({ id, method, request }: Command): unknown => {
    const schema = requests.find((entry) => entry.method === method)?.schema;
    return schema === undefined
      ? 'pong'
      : { id, method: snakeCase(method), request: toWire(schema, request!) };
  };

  function expected(line: Json | null): unknown {
    const { id = 0, ...rest } = line ?? {};
    const [method] = Object.keys(rest);
    if (method === undefined || (id === 0 && method !== 'send')) return 'pong';
    return { id, method, request: clean(rest[method]) };
  }

  function clean(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(clean);
    if (typeof value !== 'object' || value === null) return value;
    const members = Object.entries(value).map(([key, each]) => [key, key === 'data' ? each : clean(each)]);
    return withoutZeros(Object.fromEntries(members) as Json);
  }
});

describe('recorded replies', () => {
  const text = ({ recv, recv_chunk: chunk }: Step): string =>
    recv ?? chunk?.replaceAll(/^data: /gm, '') ?? '';
  const cases = scenarios
    .map(({ name, steps }) => ({
      name,
      lines: steps.flatMap((step) => text(step).split('\n')).filter((line) => line.startsWith('{')),
    }))
    .filter(({ lines }) => lines.length > 0);

  it.each(cases)('are encoded in the same way: $name', ({ lines }) => {
    for (const line of lines) expect(encode(line).toString()).toBe(line);
  });
});
