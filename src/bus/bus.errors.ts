import { CarillonError } from '../errors.js';

/** The broker or store does not answer, or answered that it cannot take the call now. */
export class BrokerUnavailableError extends CarillonError {
  readonly code = 'broker_unavailable';
  override readonly retryable = true;

  /** @param broker which one, in words for a person: `kafka`, `redis`, `pulsar` */
  constructor(
    readonly broker: string,
    reason: string,
    options?: ErrorOptions,
  ) {
    super(`${broker} is not available: ${reason}`, options);
  }
}

/** The broker refuses this record for what it is (too large, an illegal topic name): trying again will not help. */
export class RecordRefusedError extends CarillonError {
  readonly code = 'record_refused';
}

/**
 * This process and others, or this process and the data that is there, divide a topic differently: keys would go to different
 * partitions, and lose their order. Nothing is read or written before that is mended.
 */
export class PartitionsDifferError extends CarillonError {
  readonly code = 'partitions_differ';
}

/** The embedded schedule holds as many pending messages as it may. There is room again when some of them are due or cancelled. */
export class ScheduleFullError extends CarillonError {
  readonly code = 'schedule_full';
  override readonly retryable = true;
}

/** A call came after `close`. */
export class BusClosedError extends CarillonError {
  readonly code = 'bus_closed';

  constructor() {
    super('the bus is closed: the process is shutting down');
  }
}

/** The client library or its binary is missing, or the options contradict each other. Raised at start-up. */
export class AdapterUnusableError extends CarillonError {
  readonly code = 'adapter_unusable';
}
