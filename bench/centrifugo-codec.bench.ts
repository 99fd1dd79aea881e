/**
 * Measures the codecs of the Centrifugo protocol on one core:
 *
 *     npm run build && node bench/centrifugo-codec.bench.ts
 *
 * Each case runs for about half a second after a warm-up. Decoding is compared with `JSON.parse` of the same bytes.
 */
const built = (file: string): string =>
  new URL(`../dist/gateway/protocols/centrifugo/codec/${file}`, import.meta.url).href;
const { jsonCodec, protobufCodec } = (await import(
  built('codecs.js')
)) as typeof import('../src/gateway/protocols/centrifugo/codec/codecs.js');

function measure(name: string, run: () => unknown): void {
  const until = (end: number): number => {
    let rounds = 0;
    while (performance.now() < end) for (let i = 0; i < 200; i++, rounds++) run();
    return rounds;
  };
  until(performance.now() + 200);
  const start = performance.now();
  const rounds = until(start + 500);
  const ns = ((performance.now() - start) * 1e6) / rounds;
  console.log(
    `${name.padEnd(44)} ${ns.toFixed(0).padStart(7)} ns ${Math.round(1e9 / ns)
      .toLocaleString('en')
      .padStart(12)} /s`,
  );
}

const payload = Buffer.from(JSON.stringify({ text: 'x'.repeat(80), n: 1 }));
const frames = {
  connect: `{"id":1,"connect":{"token":"${'e'.repeat(180)}","name":"js","version":"5.8.0"}}`,
  subscribe:
    '{"id":2,"subscribe":{"channel":"chat:room-1234567","recover":true,"epoch":"abcdefgh","offset":17,"flag":1}}',
  publish: `{"id":3,"publish":{"channel":"chat:room-1234567","data":${payload.toString()}}}`,
  'publish of 10 KB': `{"id":3,"publish":{"channel":"chat:room-1234567","data":"${'x'.repeat(10_000)}"}}`,
  pong: '{}',
};
for (const [name, text] of Object.entries(frames)) {
  const frame = Buffer.from(text);
  measure(`json decode ${name}`, () => jsonCodec.readFrame(frame).next());
  measure(`     JSON.parse ${name}`, () => JSON.parse(frame.toString()) as unknown);
}

const info = { user: '42', client: '56b2356b-e559-4c5f-9322-f7a481142414' };
const recovered = {
  recoverable: true,
  epoch: 'abcdefgh',
  positioned: true,
  recovered: true,
  publications: Array.from({ length: 100 }, (_, i) => ({ data: payload, offset: i + 1, info })),
};
for (const codec of [jsonCodec, protobufCodec]) {
  const name = codec.encoding;
  measure(`${name} encode pub`, () => codec.encodePublicationPush('chat:room-1', { data: payload }));
  measure(`${name} encode pub with info, offset`, () =>
    codec.encodePublicationPush('chat:room-1', { data: payload, info, offset: 12345 }),
  );
  measure(`${name} encode publish reply`, () => codec.encodeResult(7, 'publish', {}));
  measure(`${name} encode subscribe reply`, () =>
    codec.encodeResult(7, 'subscribe', { recoverable: true, epoch: 'abcdefgh', offset: 5, positioned: true }),
  );
  measure(`${name} encode join`, () => codec.encodePush('join', 'chat:room-1', { info }));
  measure(`${name} encode 100 recovered`, () => codec.encodeResult(7, 'subscribe', recovered));
}

const message = Buffer.from([
  8,
  3,
  58,
  10 + 19,
  10,
  17,
  ...Buffer.from('chat:room-1234567'),
  18,
  8,
  ...Buffer.from('{"a":12}'),
]);
const framed = Buffer.concat([Buffer.from([message.length]), message]);
measure('protobuf decode publish', () => protobufCodec.readFrame(framed).next());

const { createDelta } = (await import(
  built('fossil-delta.js')
)) as typeof import('../src/gateway/protocols/centrifugo/codec/fossil-delta.js');
const list = Array.from({ length: 50 }, (_, i) => ({ id: i, text: `item number ${i}` }));
const base = Buffer.from(JSON.stringify({ list, n: 1 }));
const target = Buffer.from(JSON.stringify({ list, n: 2 }));
measure(`delta of ${target.length} bytes`, () => createDelta(base, target));
