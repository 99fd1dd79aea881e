import { describe, expect, it } from '@jest/globals';
import { frame, unframe } from '../../message/index.js';
import { type RetryRecord, retryRecordFromBytes, retryRecordToBytes } from './retry-record.js';

const record: RetryRecord = {
  id: '01890a5d-ac96-774b-bcce-b302099a8057',
  group: 'task-daily',
  driver: 'memory',
  topic: 't',
  partition: 0,
  position: '7',
  headers: {},
  value: Buffer.from('x'),
  publishedAt: 1,
  orderingKey: 't\0k',
  state: 'waiting',
  dueAt: 2,
  attempts: 1,
  givenUp: false,
};

describe('the stored form of a retry record', () => {
  it('restores a record', () => {
    expect(retryRecordFromBytes(retryRecordToBytes(record))).toEqual(record);
    const { orderingKey: _, ...unordered } = record;
    expect(retryRecordFromBytes(retryRecordToBytes(unordered))).toEqual(unordered);
  });

  it('keeps the name under which earlier versions stored the ordering key', () => {
    const { value, orderingKey, ...header } = record;
    const stored = { ...header, line: orderingKey };
    expect(unframe(retryRecordToBytes(record)).header).toEqual(stored);
    expect(retryRecordFromBytes(frame(stored, value))).toEqual(record);
  });
});
