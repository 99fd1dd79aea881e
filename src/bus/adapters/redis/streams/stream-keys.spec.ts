import { describe, expect, it } from '@jest/globals';
import { RecordRefusedError } from '../../../bus.errors.js';
import { partitionOfKey, StreamKeys } from './stream-keys.js';

const keys = (streamName: string, partitions = 2) =>
  new StreamKeys({ keyPrefix: 'carillon', streamName, partitions });

describe('StreamKeys', () => {
  it('fills in the template', () => {
    const names = (template: string) =>
      keys(template)
        .partitionsOf('a.<b>')
        .map(({ stream }) => stream);
    expect(names('<prefix>:{<topic>:<partition>}')).toEqual(['carillon:{a.<b>:0}', 'carillon:{a.<b>:1}']);
    expect(names('<topic>:<partition>')).toEqual(['a.<b>:0', 'a.<b>:1']);
    expect(keys('<topic>:<partition>').countOf('t')).toBe('t:partitions');
  });

  it('stores the number of partitions beside a stream that has the name of its topic', () => {
    const plain = keys('<topic>', 1);
    expect(plain.partitionsOf('orders').map(({ stream }) => stream)).toEqual(['orders']);
    expect(plain.countOf('orders')).toBe('orders:partitions');
  });

  it('does not replace placeholders inside a topic name', () => {
    const [first] = keys('<topic>:<partition>').partitionsOf('<partition>$&');
    expect(first?.stream).toBe('<partition>$&:0');
  });

  it('refuses a topic name with braces, which would move its streams to other Cluster slots', () => {
    for (const topic of ['a{b', 'a}b'])
      expect(() => keys('<topic>:<partition>').partitionsOf(topic)).toThrow(RecordRefusedError);
  });

  it.each([
    ['<prefix>:{<topic>:<partition>}', 'carillon:{t:1}:lease:g'],
    ['<topic>:<partition>', '{t:1}:lease:g'],
    ['<topic>', '{t}:lease:g'],
    ['<topic>:{<partition>}', 't:{1}:lease:g'],
  ])('puts the lease of a stream named %s into the Cluster slot of the stream', (template, lease) => {
    const partitions = keys(template);
    expect(partitions.leaseOf(partitions.partitionsOf('t')[1]!, 'g')).toBe(lease);
  });
});

describe('partitionOfKey', () => {
  it('returns the CRC-32 of the UTF-8 bytes, modulo the number of partitions', () => {
    expect(partitionOfKey('123456789', 2 ** 32)).toBe(0xcbf43926);
    expect(partitionOfKey('clé', 2 ** 32)).toBe(0x06c72a74);
  });

  it('spreads numbered keys evenly', () => {
    const counts = Array<number>(8).fill(0);
    for (let number = 0; number < 8_000; number++) counts[partitionOfKey(`room:${number}`, 8)]!++;
    expect(Math.min(...counts)).toBeGreaterThan(800);
    expect(Math.max(...counts)).toBeLessThan(1_200);
  });
});
