import { Logger } from '@nestjs/common';
import type { GatewayMetrics } from '../gateway.metrics.js';
import type { Step } from './attempts.js';
import type { Refusal, RefusalCause } from './decisions.js';

/** Receives every refusal of a chain of authorizers. */
export type ObserveRefusal = (step: Step, refusal: Refusal, hasToken: boolean) => void;

/** Why an attempt was refused, as a label. A missing token and a bad one are different reasons. */
export type RefusedReason = (typeof reasons)[RefusalCause] | 'authorizer';

const reasons = {
  noCredentials: 'missing_token',
  invalidToken: 'invalid_token',
  tokenExpired: 'expired_token',
  expired: 'expired',
  permissionDenied: 'permission_denied',
  notAvailable: 'not_available',
  unavailable: 'unavailable',
} as const satisfies Record<RefusalCause, string>;

const logger = new Logger('Authorization');

/** Counts refused attempts by step and reason, and logs each one at level debug, with what was wrong. */
export function reportRefusals(metrics: GatewayMetrics): ObserveRefusal {
  return (step, refusal, hasToken) => {
    const reason = reasonOf(step, refusal, hasToken);
    metrics.attemptRefused(step, reason);
    logger.debug(`${step} refused: ${reason}${detailOf(refusal)}`);
  };
}

function reasonOf(step: Step, refusal: Refusal, hasToken: boolean): RefusedReason {
  if (refusal.outcome !== 'refused') return 'authorizer';
  // A client whose token for a channel is bad may subscribe without one, so it is not told that the token is.
  const isBadToken = step === 'subscribe' && refusal.cause === 'permissionDenied' && hasToken;
  return isBadToken ? 'invalid_token' : reasons[refusal.cause];
}

function detailOf(refusal: Refusal): string {
  if (refusal.outcome !== 'refused') return `: code ${refusal.code}`;
  return refusal.detail === undefined ? '' : `: ${refusal.detail}`;
}
