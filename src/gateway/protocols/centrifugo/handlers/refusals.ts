import type { Step } from '../../../auth/attempts.js';
import type { Abstained, Allowances, DecisionOf, RefusalCause, Refusal } from '../../../auth/decisions.js';
import { closeCodes } from '../close-codes.js';
import {
  applicationCloseCode,
  CommandRefusedError,
  DisconnectError,
  replyErrors,
} from '../centrifugo.errors.js';

type ClientError = CommandRefusedError | DisconnectError;

/**
 * Returns the decision if it allows the step.
 * @throws CommandRefusedError, DisconnectError if it does not
 */
export function allowance<S extends Step>(step: S, decision: DecisionOf<S>): Allowances[S] {
  if (decision.outcome === 'allowed') return decision;
  throw errorFor(step, decision);
}

function errorFor(step: Step, refusal: Refusal | Abstained): ClientError {
  switch (refusal.outcome) {
    case 'refused':
      return errorForCause(step, refusal.cause);
    case 'error': {
      const { code, message, temporary } = refusal;
      return new CommandRefusedError({ code, message, temporary });
    }
    case 'disconnect':
      return new DisconnectError(applicationCloseCode(refusal));
    case 'abstained':
      return errorForCause(step, 'permissionDenied');
  }
}

const byCause = {
  noCredentials: () => new DisconnectError(closeCodes.badRequest),
  invalidToken: () => new DisconnectError(closeCodes.invalidToken),
  tokenExpired: () => new CommandRefusedError(replyErrors.tokenExpired),
  expired: () => new CommandRefusedError(replyErrors.expired),
  permissionDenied: () => new CommandRefusedError(replyErrors.permissionDenied),
  notAvailable: () => new CommandRefusedError(replyErrors.notAvailable),
  unavailable: () => new CommandRefusedError(replyErrors.internal),
} satisfies Record<RefusalCause, () => ClientError>;

const denyConnection = () => new DisconnectError(closeCodes.permissionDenied);
const expireConnection = () => new DisconnectError(closeCodes.connectionExpired);

/** The exceptions from {@link byCause} for single commands. */
const byStep: Partial<Record<Step, Partial<Record<RefusalCause, () => ClientError>>>> = {
  connect: { permissionDenied: denyConnection },
  refresh: {
    permissionDenied: denyConnection,
    tokenExpired: expireConnection,
    expired: expireConnection,
  },
};

export function errorForCause(step: Step, cause: RefusalCause): ClientError {
  return (byStep[step]?.[cause] ?? byCause[cause])();
}
