import { BrokerUnavailableError } from '../../../bus/index.js';
import { LinkEndedError, RemoteError, type PortErrors } from '../../../ipc/index.js';
import { FanoutClosedError, LeaseEndedError, UnrecoverablePositionError } from '../../delivery.errors.js';

/** Translates the errors of a link into those of the ports of delivery. */
export const portErrors: PortErrors = {
  closed: () => new FanoutClosedError(),
  translate(error) {
    if (error instanceof LinkEndedError)
      return new BrokerUnavailableError('the primary process', error.message);
    if (!(error instanceof RemoteError)) return error;
    switch (error.remoteCode) {
      case 'fanout_closed':
        return new FanoutClosedError();
      case 'unrecoverable_position':
        return new UnrecoverablePositionError();
      case 'lease_ended':
        return new LeaseEndedError();
      default:
        return error;
    }
  },
};
