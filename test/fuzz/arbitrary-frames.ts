import * as fc from 'fast-check';

/** What a hostile or broken client sends: one WebSocket message. */
export interface GeneratedFrame {
  readonly data: string | Buffer;
}

const channel = fc.oneof(
  fc.constantFrom('news', 'news', 'chat', '#user', '$private', '~node:00000000', '', 'a:b', '__proto__'),
  fc.string({ unit: 'grapheme', maxLength: 300 }),
);
const anything = fc.json({ maxDepth: 6 }).map((text) => JSON.parse(text) as unknown);
const id = fc.oneof(fc.nat(20), fc.integer(), fc.constantFrom(2 ** 32, -1, 1.5, null, '1'));
const position = fc.record(
  {
    recover: fc.boolean(),
    offset: fc.oneof(fc.nat(), fc.constantFrom(2 ** 53, -1, '7')),
    epoch: fc.string(),
  },
  { requiredKeys: [] },
);

const requests = {
  connect: fc.record(
    { token: fc.string(), name: fc.string(), data: anything, subs: anything },
    { requiredKeys: [] },
  ),
  subscribe: fc
    .tuple(
      fc.record(
        { channel, token: fc.string(), flag: fc.nat(), delta: fc.string() },
        { requiredKeys: ['channel'] },
      ),
      position,
    )
    .map(([request, rest]) => ({ ...request, ...rest })),
  unsubscribe: fc.record({ channel }),
  publish: fc.record({ channel, data: anything }),
  presence: fc.record({ channel }),
  presence_stats: fc.record({ channel }),
  history: fc.record(
    { channel, limit: fc.integer(), since: anything, reverse: fc.boolean() },
    { requiredKeys: ['channel'] },
  ),
  ping: fc.constant({}),
  send: fc.record({ data: anything }),
  rpc: fc.record({ method: fc.string(), data: anything }),
  refresh: fc.record({ token: fc.string() }),
  sub_refresh: fc.record({ channel, token: fc.string() }),
};

const valid = fc.oneof(
  ...Object.entries(requests).map(([method, request]) =>
    fc.record({ id: fc.nat(20), request }).map((each) => ({ id: each.id, [method]: each.request })),
  ),
);
/** A command whose fields have values of any kind, or which has two methods or none. */
const mutated = fc.oneof(
  fc
    .tuple(fc.constantFrom(...Object.keys(requests)), anything, id)
    .map(([method, body, number]) => ({ id: number, [method]: body })),
  fc.tuple(valid, valid).map(([one, other]) => ({ ...one, ...other })),
  anything,
);
const jsonText = fc
  .array(fc.oneof({ weight: 3, arbitrary: valid }, { weight: 1, arbitrary: mutated }), { maxLength: 8 })
  .map((commands) => commands.map((command) => JSON.stringify(command)).join('\n'));
const cutText = fc.tuple(jsonText, fc.nat(200)).map(([text, length]) => text.slice(0, length));
const bytes = fc.uint8Array({ maxLength: 400 }).map((array) => Buffer.from(array));

/** Starts most sequences with a connect, because nothing else gets past the first command. */
const connect = fc.constant<GeneratedFrame>({ data: '{"id":1,"connect":{}}' });

const jsonFrame: fc.Arbitrary<GeneratedFrame> = fc
  .oneof(
    { weight: 6, arbitrary: jsonText },
    { weight: 1, arbitrary: cutText },
    { weight: 1, arbitrary: fc.string() },
    { weight: 1, arbitrary: bytes },
  )
  .map((data) => ({ data }));

/** Frames for a client of the JSON protocol. */
export const jsonFrames = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(connect, fc.array(jsonFrame, { maxLength: 12 }))
      .map(([first, rest]) => [first, ...rest]),
  },
  { weight: 1, arbitrary: fc.array(jsonFrame, { maxLength: 6 }) },
);

/** Lengths and field numbers that look like Protobuf, with values of any kind. */
const protobufField = fc
  .tuple(fc.nat(25), fc.constantFrom(0, 1, 2, 5), fc.uint8Array({ maxLength: 60 }))
  .map(([field, wire, value]) => Buffer.from([(field << 3) | wire, value.length, ...value]));
const protobufCommand = fc.array(protobufField, { maxLength: 5 }).map((fields) => {
  const body = Buffer.concat(fields);
  return Buffer.concat([Buffer.from([body.length & 0x7f]), body]);
});

/** Frames for a client of the Protobuf protocol. The first one connects: id 1, an empty request of field 4. */
export const protobufFrames = fc
  .array(fc.oneof({ weight: 4, arbitrary: protobufCommand }, { weight: 1, arbitrary: bytes }), {
    maxLength: 12,
  })
  .map((rest) => [Buffer.from([4, 0x08, 1, 0x22, 0]), ...rest].map((data): GeneratedFrame => ({ data })));

/** Messages for a raw socket. */
export const rawFrames = fc.array(
  fc
    .oneof(fc.string({ unit: 'grapheme', maxLength: 2_000 }), bytes)
    .map((data): GeneratedFrame => ({ data })),
  { maxLength: 20 },
);
