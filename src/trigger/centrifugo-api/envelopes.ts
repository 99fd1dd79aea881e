import { JsonScanner, MalformedJsonError } from '../../json/index.js';
import type { Command } from './command.js';
import { raw, record, text, uint32 } from './fields.js';
import type { Methods } from './methods.js';

interface Envelope {
  readonly id: number;
  readonly method: string;
  readonly params: Buffer | undefined;
}

const envelope = record<Envelope>({ id: uint32, method: text, params: raw });
const NO_PARAMS = Buffer.from('{}');

export interface EnvelopedCommand {
  /** 0: none. */
  readonly id: number;
  readonly command: Command;
}

/**
 * Reads the form that the API had before each method got a path: one or more objects that name their method.
 * @throws MalformedJsonError also for a method that there is not
 */
export function readEnvelopes(scanner: JsonScanner, methods: Methods): readonly EnvelopedCommand[] {
  const envelopes: Envelope[] = [];
  do envelopes.push(envelope.read(scanner));
  while (!scanner.atEnd);
  const params = new JsonScanner();
  return envelopes.map(({ id, method: name, params: given = NO_PARAMS }) => {
    const method = methods.find(name);
    if (method === undefined) throw new MalformedJsonError('an unknown method');
    params.start(given);
    return { id, command: method.read(params) };
  });
}
