import { describe, expect, it } from '@jest/globals';
import {
  UnrecoverablePositionError,
  type ChannelHistoryQuery,
  type HistoryEntry,
  type HistoryPage,
} from '../../../../delivery/index.js';
import { recoverCache, recoverStream } from './recovery.js';

const EPOCH = 'abcdefgh';

const entry = (offset: number): HistoryEntry => ({
  offset,
  data: Buffer.from(String(offset)),
  format: 'json',
  createdAt: 0,
});

/** A channel with `top` publications, of which those after `trimmed` are kept. */
function channel(top: number, trimmed = 0) {
  return (query: ChannelHistoryQuery): Promise<HistoryPage> => {
    const { since, limit, reverse } = query;
    if (since && since.epoch !== '' && since.epoch !== EPOCH)
      return Promise.reject(new UnrecoverablePositionError());
    const kept = Array.from({ length: top - trimmed }, (_, i) => entry(trimmed + 1 + i));
    const wanted = kept.filter(({ offset }) => offset > (since?.offset ?? 0));
    if (reverse) wanted.reverse();
    return Promise.resolve({ publications: wanted.slice(0, limit), offset: top, epoch: EPOCH });
  };
}

describe('recoverStream', () => {
  it.each([
    ['nothing was missed', channel(5), { offset: 5, epoch: EPOCH }, true, []],
    ['all publications are kept', channel(5), { offset: 3, epoch: EPOCH }, true, [4, 5]],
    ['the client does not know the epoch', channel(5), { offset: 3, epoch: '' }, true, [4, 5]],
    ['the client recovers from the beginning', channel(2), { offset: 0, epoch: '' }, true, [1, 2]],
    ['nothing was ever published', channel(0), { offset: 0, epoch: EPOCH }, true, []],
    ['some of them are no longer kept', channel(9, 6), { offset: 3, epoch: EPOCH }, false, []],
    ['none of them is kept', channel(9, 9), { offset: 3, epoch: EPOCH }, false, []],
    ['there are more than the limit', channel(20), { offset: 3, epoch: EPOCH }, false, []],
    [
      'there are as many as the limit',
      channel(13),
      { offset: 3, epoch: EPOCH },
      true,
      [4, 5, 6, 7, 8, 9, 10, 11, 12, 13],
    ],
    ['the client is ahead', channel(5), { offset: 8, epoch: EPOCH }, false, []],
    ['the client has another epoch', channel(5), { offset: 5, epoch: 'zzzzzzzz' }, false, []],
  ])('%s', async (_, read, since, recovered, offsets) => {
    const recovery = await recoverStream(read, since, 10);
    expect(recovery.recovered).toBe(recovered);
    expect(recovery.publications.map(({ offset }) => offset)).toEqual(offsets);
    expect(recovery.position.epoch).toBe(EPOCH);
  });

  it('rethrows other errors of the store', async () => {
    const broken = () => Promise.reject(new Error('away'));
    await expect(recoverStream(broken, { offset: 1, epoch: EPOCH }, 10)).rejects.toThrow('away');
  });
});

describe('recoverCache', () => {
  it.each([
    ['the latest publication', channel(5), { offset: 2, epoch: EPOCH }, true, [5]],
    [
      'the latest publication, whatever the position of the client',
      channel(5),
      { offset: 9, epoch: 'zzzz' },
      true,
      [5],
    ],
    ['nothing if the client has it', channel(5), { offset: 5, epoch: EPOCH }, true, []],
    [
      'nothing if the client has the latest publication and it is no longer kept',
      channel(5, 5),
      { offset: 5, epoch: EPOCH },
      true,
      [],
    ],
    ['nothing if none is kept', channel(5, 5), { offset: 4, epoch: EPOCH }, false, []],
    ['nothing if there never was one', channel(0), { offset: 0, epoch: EPOCH }, false, []],
  ])('returns %s', async (_, read, since, recovered, offsets) => {
    const recovery = await recoverCache(read, since, undefined, 10);
    expect(recovery.recovered).toBe(recovered);
    expect(recovery.publications.map(({ offset }) => offset)).toEqual(offsets);
  });

  it.each([
    [10, true, [2]],
    // An older one might pass the filter, and the client might not have it.
    [3, false, []],
  ])('returns the latest one that passes the filter, of the last %i', async (limit, recovered, offsets) => {
    const tagged: typeof read = async (query) => {
      const page = await read(query);
      const publications = page.publications.map((each) => ({ ...each, tags: { n: String(each.offset) } }));
      return { ...page, publications };
    };
    const read = channel(5);
    const recovery = await recoverCache(tagged, { offset: 1, epoch: EPOCH }, ({ n }) => n === '2', limit);
    expect(recovery.recovered).toBe(recovered);
    expect(recovery.publications.map(({ offset }) => offset)).toEqual(offsets);
    expect(recovery.position.offset).toBe(5);
  });
});
