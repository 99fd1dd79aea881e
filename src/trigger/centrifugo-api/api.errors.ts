import { CarillonError } from '../../errors.js';

/** An error as callers of the API see it, with the status for those who want it in one. */
export interface ApiFault {
  readonly code: number;
  readonly message: string;
  readonly status: number;
}

export const apiFaults = {
  internal: { code: 100, message: 'internal server error', status: 500 },
  unknownChannel: { code: 102, message: 'unknown channel', status: 404 },
  notFound: { code: 104, message: 'not found', status: 404 },
  badRequest: { code: 107, message: 'bad request', status: 400 },
  notAvailable: { code: 108, message: 'not available', status: 400 },
  unrecoverablePosition: { code: 112, message: 'unrecoverable position', status: 416 },
} as const satisfies Record<string, ApiFault>;

/** A command was refused. */
export class ApiRefusal extends CarillonError {
  readonly code = 'api_refusal';

  constructor(readonly fault: ApiFault) {
    super(fault.message);
  }
}

/** A bad request of which can be said what was wrong with it. */
export function badRequest(message: string): ApiRefusal {
  return new ApiRefusal({ ...apiFaults.badRequest, message });
}
