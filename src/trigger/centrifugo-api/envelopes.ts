import { JsonScanner, MalformedJsonError } from '../../json/index.js';
import { readMessage } from '../../schema/index.js';
import type { Command } from './command.js';
import type { Methods } from './methods.js';
import { envelope } from './request-schemas.js';
import type { Envelope } from './requests.js';

const NO_PARAMS = Buffer.from('{}');

export interface EnvelopedCommand {
  /** 0: no id. */
  readonly id: number;
  readonly command: Command;
}

/**
 * Reads the former format of requests, before each method had a path: one or more objects that name their method.
 * @throws MalformedJsonError also if a method does not exist
 */
export function readEnvelopes(scanner: JsonScanner, methods: Methods): readonly EnvelopedCommand[] {
  const envelopes: Envelope[] = [];
  do envelopes.push(readMessage(scanner, envelope));
  while (!scanner.atEnd);
  const params = new JsonScanner();
  return envelopes.map(({ id, method: name, params: given = NO_PARAMS }) => {
    const method = methods.find(name);
    if (method === undefined) throw new MalformedJsonError('an unknown method');
    params.start(given);
    return { id, command: method.read(params) };
  });
}
