import { BrokerUnavailableError, CarillonError } from '../errors.js';

export { AdapterUnusableError, BrokerUnavailableError } from '../errors.js';

/** The broker responds, but does not carry out the call: a permission is missing, or a key has another type, for example. */
export class CallRefusedError extends BrokerUnavailableError {}

/** The broker refuses the record, for example because it is too large or its topic name is invalid. A retry cannot succeed. */
export class RecordRefusedError extends CarillonError {
  readonly code = 'record_refused';
}

/**
 * The number of partitions of a topic in this process differs from that of other processes or of the stored data. Keys would go to
 * different partitions and lose their order, so the process reads and writes nothing until the settings agree.
 */
export class PartitionsDifferError extends CarillonError {
  readonly code = 'partitions_differ';
}

/**
 * The delayed lane, or the part of it that callers without an API key share, is full. There is room again after some messages are
 * due or cancelled.
 */
export class ScheduleFullError extends CarillonError {
  readonly code = 'schedule_full';
  override readonly retryable = true;
}

/** A caller without an API key has as many messages in the delayed lane, or as many bytes, as one caller may have. */
export class ScheduleQuotaError extends CarillonError {
  readonly code = 'schedule_quota_exceeded';
  override readonly retryable = true;
}

/** The bus was called after `close`. */
export class BusClosedError extends CarillonError {
  readonly code = 'bus_closed';

  constructor() {
    super('the bus is closed: the process is shutting down');
  }
}
