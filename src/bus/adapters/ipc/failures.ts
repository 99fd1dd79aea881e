import { LinkEndedError, RemoteError, type PortErrors } from '../../../ipc/index.js';
import {
  BrokerUnavailableError,
  BusClosedError,
  RecordRefusedError,
  ScheduleFullError,
  ScheduleQuotaError,
} from '../../bus.errors.js';

/** Translates the errors of a link to those of the bus's ports. */
export const busFailures: PortErrors = {
  closed: () => new BusClosedError(),
  translate(error) {
    if (error instanceof LinkEndedError)
      return new BrokerUnavailableError('the primary process', error.message);
    if (!(error instanceof RemoteError)) return error;
    switch (error.remoteCode) {
      case 'broker_unavailable':
        return new BrokerUnavailableError('the primary process', error.message, { cause: error });
      case 'bus_closed':
        return new BusClosedError();
      case 'record_refused':
        return new RecordRefusedError(error.message);
      case 'schedule_full':
        return new ScheduleFullError(error.message);
      case 'schedule_quota_exceeded':
        return new ScheduleQuotaError(error.message);
      default:
        return error;
    }
  },
};
