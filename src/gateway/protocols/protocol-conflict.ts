import { CarillonError } from '../../errors.js';
import type { ProtocolDefinition } from './protocol.js';

/** Two protocols of a list cannot be served together. */
export class ProtocolConflictError extends CarillonError {
  readonly code = 'protocol_conflict';
}

/** @throws ProtocolConflictError if two of them have the same name, settings key or path */
export function requireDistinct(protocols: readonly ProtocolDefinition[]): void {
  refuseRepeated(
    'name',
    protocols.map(({ name }) => name),
  );
  refuseRepeated(
    'settings key',
    protocols.flatMap(({ settings }) => settings?.key ?? []),
  );
  refuseRepeated(
    'path',
    protocols.flatMap(({ paths }) => paths),
  );
}

function refuseRepeated(what: string, values: readonly string[]): void {
  const repeated = values.find((value, at) => values.indexOf(value) !== at);
  if (repeated !== undefined)
    throw new ProtocolConflictError(`two client protocols have the ${what} ${repeated}`);
}
