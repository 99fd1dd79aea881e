import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { Command, ConnectRequest, PublishRequest } from './commands.js';
import { decodedFrame } from '../../../../../test/support/decoded-frame.js';
import { JsonFrameReader } from './json-decoder.js';

const decodeBytes = (frame: Buffer) => decodedFrame(new JsonFrameReader(frame));
const decode = (text: string) => decodeBytes(Buffer.from(text));

const one = (text: string): Command => {
  const { commands, isMalformed } = decode(text);
  expect(isMalformed).toBe(false);
  expect(commands).toHaveLength(1);
  return commands[0]!;
};

const isFault = (text: string): boolean => decode(text).isMalformed;

describe('a frame', () => {
  const first = '{"id":1,"presence":{"channel":"a"}}';
  const second = '{"id":2,"presence":{"channel":"b"}}';
  const ids = (text: string): number[] => decode(text).commands.map(({ id }) => id);

  it.each([
    ['one line', first, [1]],
    ['a newline at the end', `${first}\n`, [1]],
    ['two lines', `${first}\n${second}`, [1, 2]],
    ['CRLF', `${first}\r\n${second}\r\n`, [1, 2]],
    ['white space in the line', ` {\t"id" : 1 , "presence" : { "channel" : "a" } } \n${second}`, [1, 2]],
  ])('may contain %s', (_, text, expected) => {
    expect(ids(text)).toEqual(expected);
    expect(isFault(text)).toBe(false);
  });

  it.each([
    ['nothing', ''],
    ['a newline alone', '\n'],
    ['a blank line', '\n\n'],
    ['two newlines at the end', '{"id":1,"rpc":{}}\n\n'],
    ['an array', `[${first}]`],
    ['a command over several lines', '{"id":1,\n"presence":{"channel":"a"}}'],
    ['two commands in one line', first + second],
    ['text that is no JSON', 'hello'],
    ['a string', '"hello"'],
  ])('may not contain %s', (_, text) => {
    expect(isFault(text)).toBe(true);
  });

  it('returns the commands before a malformed one, and the fault', () => {
    const { commands, isMalformed } = decode(`${first}\n${second}\n\n${first}`);
    expect(commands.map(({ id }) => id)).toEqual([1, 2]);
    expect(isMalformed).toBe(true);
  });

  it('has to be UTF-8', () => {
    expect(decodeBytes(Buffer.from('{"id":1,"rpc":{"method":"\xff"}}', 'latin1')).isMalformed).toBe(true);
  });
});

describe('a command', () => {
  it.each(['{}', 'null', '{"id":0}', '{"presence":{"channel":"a"}}', '{"unknown":1}'])(
    'without an id is a pong: %s',
    (text) => {
      expect(one(text)).toEqual({ id: 0, method: 'pong', request: undefined });
    },
  );

  it('may be a send without an id', () => {
    const command = one('{"send":{"data":{"a":1}}}');
    expect(command).toMatchObject({ id: 0, method: 'send' });
  });

  it.each(['{"id":1}', '{"id":1,"ping":{}}', '{"id":1,"foo":{}}', '{"id":1,"rpc":null}'])(
    'with an id needs a known request: %s',
    (text) => {
      expect(isFault(text)).toBe(true);
    },
  );

  it.each([
    ['4294967295', false],
    ['4294967296', true],
    ['-1', true],
    ['1.0', true],
    ['1e2', true],
    ['"1"', true],
    ['18446744073709551617', true],
    ['1'.repeat(1000), true],
  ])('with the id %s is a fault: %s', (id, fault) => {
    expect(isFault(`{"id":${id},"rpc":{}}`)).toBe(fault);
  });

  it('is the first request in the order of the protocol', () => {
    expect(one('{"id":1,"rpc":{},"history":{"channel":"h"},"publish":{"channel":"p"}}').method).toBe(
      'publish',
    );
  });

  it('is malformed if any of its requests is malformed', () => {
    expect(isFault('{"id":1,"connect":{},"rpc":5}')).toBe(true);
  });

  it('ignores unknown fields on every level', () => {
    const command = one('{"x":[1,{"y":2}],"id":1,"z":null,"presence":{"w":{"a":[]},"channel":"a"}}');
    expect(command).toEqual({ id: 1, method: 'presence', request: { channel: 'a' } });
  });

  it('uses the last of two equal keys', () => {
    expect(one('{"id":1,"id":2,"presence":{"channel":"a","channel":"b"}}')).toMatchObject({
      id: 2,
      request: { channel: 'b' },
    });
  });

  it('accepts keys with escapes', () => {
    expect(one('{"\\u0069d":1,"pr\\u0065sence":{"channel":"a"}}')).toMatchObject({
      id: 1,
      method: 'presence',
    });
  });

  it.each([
    '{"id":1,"presence":{"channel":5}}',
    '{"id":1,"presence":{"channel":["a"]}}',
    '{"id":1,"presence":[]}',
    '{"id":1,"subscribe":{"channel":"a","recover":1}}',
    '{"id":1,"subscribe":{"channel":"a","recover":"true"}}',
    '{"id":1,"subscribe":{"channel":"a","offset":-1}}',
    '{"id":1,"subscribe":{"channel":"a","tf":[]}}',
    '{"id":1,"history":{"channel":"a","limit":2147483648}}',
    '{"id":1,"connect":{"subs":["a"]}}',
    '{"id":1,"connect":{"headers":{"a":1}}}',
  ])('is a fault with a field of the wrong type: %s', (text) => {
    expect(isFault(text)).toBe(true);
  });

  it('reads null as the zero value', () => {
    const command = one('{"id":1,"subscribe":{"channel":null,"recover":null,"offset":null,"tf":null}}');
    expect(command.request).toMatchObject({ channel: '', recover: false, offset: 0, tf: undefined });
  });
});

describe('a request', () => {
  it('has the zero value for a missing field', () => {
    expect(one('{"id":1,"connect":{}}').request).toEqual({
      token: '',
      data: undefined,
      subs: new Map(),
      name: '',
      version: '',
      headers: new Map(),
      flag: 0,
    });
  });

  it('does not share values with the next request', () => {
    one('{"id":1,"connect":{"subs":{"a":{"recover":true}},"headers":{"k":"v"}}}');
    expect(one('{"id":2,"connect":{}}').request).toMatchObject({ subs: new Map(), headers: new Map() });
  });

  it('reads every kind of field', () => {
    const { request } = one(
      '{"id":7,"subscribe":{"channel":"чат","token":"t","recover":true,"epoch":"e","offset":9007199254740993,"data":[ 1 ],' +
        '"join_leave":true,"delta":"fossil","flag":3,"limit":-5,"tf":{"op":"and","nodes":[{"key":"k","cmp":"in","vals":["a","b"]},null]}}}',
    );
    expect(request).toMatchObject({
      channel: 'чат',
      token: 't',
      recover: true,
      epoch: 'e',
      offset: Number.MAX_SAFE_INTEGER,
      data: Buffer.from('[ 1 ]'),
      joinLeave: true,
      delta: 'fossil',
      flag: 3,
      limit: -5,
      tf: { op: 'and', nodes: [{ key: 'k', cmp: 'in', vals: ['a', 'b'] }, { op: '' }] },
    });
  });

  it('does not let a channel or header name reach a prototype', () => {
    const { request } = one(
      '{"id":1,"connect":{"subs":{"__proto__":{"epoch":"e"}},"headers":{"__proto__":"h"},"__proto__":{"token":"t"}}}',
    );
    expect(request).toMatchObject({ token: '', headers: new Map([['__proto__', 'h']]) });
    expect((request as ConnectRequest).subs.get('__proto__')).toMatchObject({ epoch: 'e' });
    expect(({} as { epoch?: string }).epoch).toBeUndefined();
  });

  it('returns the payload byte for byte', () => {
    const payload = '{ "b" : 1.50e3 ,\t"a":"\\u00e9\\/é", "b":[ ] }';
    const { request } = one(`{"id":1,"publish":{"channel":"a","data": ${payload} }}`);
    expect((request as PublishRequest).data?.toString()).toBe(payload);
  });

  it('distinguishes a payload of null from no payload', () => {
    expect(one('{"id":1,"publish":{"data":null}}').request).toMatchObject({ data: Buffer.from('null') });
    expect(one('{"id":1,"publish":{}}').request).toMatchObject({ data: undefined });
  });

  it('limits the nesting of a filter', () => {
    const filter = (depth: number): string =>
      '{"op":"not","nodes":['.repeat(depth) + '{}' + ']}'.repeat(depth);
    expect(isFault(`{"id":1,"subscribe":{"channel":"a","tf":${filter(20)}}}`)).toBe(false);
    expect(isFault(`{"id":1,"subscribe":{"channel":"a","tf":${filter(2000)}}}`)).toBe(true);
  });

  it('reads what JSON.stringify writes', () => {
    fc.assert(
      fc.property(
        fc.nat(0xffffffff),
        fc.string({ unit: 'grapheme' }),
        fc.jsonValue(),
        fc.boolean(),
        (id, channel, data, recover) => {
          fc.pre(id > 0);
          const { request } = one(JSON.stringify({ id, subscribe: { channel, data, recover } }));
          const expected = Buffer.from(JSON.stringify(data));
          expect(request).toMatchObject({ channel: channel.toWellFormed(), recover, data: expected });
        },
      ),
    );
  });
});

describe('malformed input', () => {
  const commands = [
    '{"id":1,"connect":{"token":"t","data":{"a":[1,2,{"b":null}]},"subs":{"a":{"recover":true,"offset":5}}}}',
    '{"id":2,"subscribe":{"channel":"a\\u0041","tf":{"op":"or","nodes":[{"key":"k","cmp":"eq","val":"v"}]}}}',
    '{"id":3,"sub_refresh":{"channel":"c","track":[{"signature":"s","items":[{"key":"k","version":1}]}],"untrack":["u"]}}',
  ];

  it('never throws, and never results in a command that is not in the frame', () => {
    const mutated = fc
      .tuple(
        fc.constantFrom(...commands),
        fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 4 }),
        fc.nat(200),
      )
      .map(([text, changes, cut]) => {
        const bytes = Buffer.from(text);
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        return bytes.subarray(0, cut < bytes.length ? cut : bytes.length);
      });
    fc.assert(
      fc.property(
        fc.oneof(
          mutated,
          fc.uint8Array().map((array) => Buffer.from(array)),
        ),
        (frame) => {
          const lines = frame.toString('latin1').split('\n').length;
          const { commands: decoded, isMalformed } = decodeBytes(frame);
          expect(decoded.length + (isMalformed ? 1 : 0)).toBeLessThanOrEqual(lines);
        },
      ),
      { numRuns: 3000 },
    );
  });
});
