import { CarillonError } from '../../errors.js';

/** An error as callers of the API see it, with the HTTP status for callers that request one. */
export interface ApiFault {
  readonly code: number;
  readonly message: string;
  readonly status: number;
}

export const apiFaults = {
  internal: { code: 100, message: 'internal server error', status: 500 },
  unknownChannel: { code: 102, message: 'unknown channel', status: 404 },
  notFound: { code: 104, message: 'not found', status: 404 },
  limitExceeded: { code: 106, message: 'limit exceeded', status: 400 },
  badRequest: { code: 107, message: 'bad request', status: 400 },
  notAvailable: { code: 108, message: 'not available', status: 400 },
  tooManyRequests: { code: 111, message: 'too many requests', status: 429 },
  unrecoverablePosition: { code: 112, message: 'unrecoverable position', status: 416 },
} as const satisfies Record<string, ApiFault>;

/** The faults of operations by the code of the error. Errors without one are reported with their own message. */
export const faultByCode: Readonly<Record<string, ApiFault>> = {
  invalid_channel: apiFaults.badRequest,
  invalid_payload: apiFaults.badRequest,
  unknown_namespace: apiFaults.unknownChannel,
  not_available: apiFaults.notAvailable,
  // Centrifugo fails here, too.
  invalid_position: apiFaults.internal,
  unrecoverable_position: apiFaults.unrecoverablePosition,
};

/** A command was refused. */
export class ApiRefusal extends CarillonError {
  readonly code = 'api_refusal';

  constructor(readonly fault: ApiFault) {
    super(fault.message);
  }
}

/** Refuses a request that exceeds a limit, with a message that names the limit. */
export function limitExceeded(message: string): ApiRefusal {
  return new ApiRefusal({ ...apiFaults.limitExceeded, message });
}

/** Refuses a request with a message that says what is wrong with it. */
export function badRequest(message: string): ApiRefusal {
  return new ApiRefusal({ ...apiFaults.badRequest, message });
}
