import { UndeliverableRecordError } from './message.errors.js';
import { fromInfoText, toInfoText } from './client-info.js';
import type { Message } from './message.js';

/** What a message asks of the history of its channel, and who sent it: all of it optional. */
export type MessageTerms = Pick<
  Message,
  'info' | 'skipHistory' | 'idempotencyKey' | 'version' | 'versionEpoch' | 'delta'
>;

export const termHeaders = {
  info: 'carillon-info',
  skipHistory: 'carillon-skip-history',
  idempotencyKey: 'carillon-idempotency-key',
  dataVersion: 'carillon-data-version',
  dataVersionEpoch: 'carillon-data-version-epoch',
  delta: 'carillon-delta',
} as const;

export function toTermHeaders(terms: MessageTerms): Record<string, string> {
  const { info, skipHistory, idempotencyKey, version, versionEpoch, delta } = terms;
  return {
    ...(info === undefined ? {} : { [termHeaders.info]: toInfoText(info) }),
    ...(skipHistory === undefined ? {} : { [termHeaders.skipHistory]: String(skipHistory) }),
    ...(idempotencyKey === undefined ? {} : { [termHeaders.idempotencyKey]: idempotencyKey }),
    ...(version === undefined ? {} : { [termHeaders.dataVersion]: String(version) }),
    ...(versionEpoch === undefined ? {} : { [termHeaders.dataVersionEpoch]: versionEpoch }),
    ...(delta === undefined ? {} : { [termHeaders.delta]: String(delta) }),
  };
}

/** @throws {UndeliverableRecordError} one of the headers cannot be understood */
export function fromTermHeaders(headers: Readonly<Record<string, string>>): MessageTerms {
  const read = <T>(header: string, parse: (text: string) => T | undefined, what: string): T | undefined => {
    const text = headers[header];
    if (text === undefined) return undefined;
    const value = parse(text);
    if (value === undefined) throw new UndeliverableRecordError(`header ${header} is not ${what}`);
    return value;
  };
  const info = read(termHeaders.info, fromInfoText, 'a client as JSON');
  const skipHistory = read(termHeaders.skipHistory, truth, 'true or false');
  const version = read(termHeaders.dataVersion, wholeNumber, 'a whole number above 0');
  const delta = read(termHeaders.delta, truth, 'true or false');
  const idempotencyKey = headers[termHeaders.idempotencyKey];
  const versionEpoch = headers[termHeaders.dataVersionEpoch];
  return {
    ...(info === undefined ? {} : { info }),
    ...(skipHistory === undefined ? {} : { skipHistory }),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    ...(version === undefined ? {} : { version }),
    ...(versionEpoch === undefined ? {} : { versionEpoch }),
    ...(delta === undefined ? {} : { delta }),
  };
}

function truth(text: string): boolean | undefined {
  return { true: true, false: false }[text];
}

function wholeNumber(text: string): number | undefined {
  const number = Number(text);
  return /^[1-9]\d*$/.test(text) && Number.isSafeInteger(number) ? number : undefined;
}
