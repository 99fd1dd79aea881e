import { describe, expect, it, jest } from '@jest/globals';
import { Publication } from '../../delivery/index.js';
import { Framing } from './framing.js';
import { PublicationFormat, unencodable } from './publication-format.js';

class Tagged extends Framing {
  override readonly transport = 'test';
  override readonly ping = undefined;

  constructor(private readonly tag: string) {
    super();
  }

  override frame(message: Uint8Array, isText: boolean): Buffer {
    return Buffer.from(`${this.tag}${isText ? ' text' : ''}:${String(message)}`);
  }
}

const sse = new Tagged('sse');
const stream = new Tagged('stream');

function publication(data: string): Publication {
  return new Publication({
    channel: 'bell',
    data: Buffer.from(data),
    format: 'json',
    createdAt: 0,
    lane: 'direct',
  });
}

describe('PublicationFormat', () => {
  it('frames a publication once for all subscribers of one transport', () => {
    const format = new PublicationFormat(
      ({ data }) => data,
      () => true,
    );
    const bell = publication('1');
    expect(format.of(bell, sse)).toBe(format.of(bell, sse));
    expect(format.of(bell, sse).toString()).toBe('sse text:1');
  });

  it('encodes a publication once for all transports', () => {
    const encode = jest.fn(({ data }: Publication) => data);
    const format = new PublicationFormat(encode, () => false);
    const bell = publication('1');
    expect([format.of(bell, sse), format.of(bell, stream)].map(String)).toEqual(['sse:1', 'stream:1']);
    expect(encode).toHaveBeenCalledTimes(1);
  });

  it('keeps formats apart', () => {
    const one = new PublicationFormat(
      () => Buffer.from('one'),
      () => false,
    );
    const two = new PublicationFormat(
      () => Buffer.from('two'),
      () => false,
    );
    const bell = publication('1');
    expect([one, two, one].map((format) => String(format.of(bell, sse)))).toEqual([
      'sse:one',
      'sse:two',
      'sse:one',
    ]);
  });

  it('puts no frame around a publication that the encoding cannot carry', () => {
    const format = new PublicationFormat(
      () => unencodable,
      () => true,
    );
    expect(format.of(publication('1'), sse)).toBe(unencodable);
  });
});
