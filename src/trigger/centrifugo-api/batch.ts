import type { JsonScanner } from '../../json/index.js';
import { apiFaults } from './api.errors.js';
import type { Command } from './command.js';
import { flag, listOf, record, type Field, type JsonSchema } from './fields.js';
import type { Methods } from './methods.js';
import { faultText, type Outcome } from './replies.js';

/** Absent: a null in the place of a command. Without a method: an object that names none that there is. */
type BatchedCommand = Command | 'nothing' | undefined;

interface BatchRequest {
  readonly commands: readonly BatchedCommand[];
  readonly parallel: boolean;
}

/** Several commands in one request, answered in their order. */
export class Batch {
  readonly #request: Field<BatchRequest>;

  constructor(methods: Methods) {
    const fields = Object.fromEntries(
      methods.all.map(({ name, read, schema }): [string, Field<Command | undefined>] => [
        name,
        { read, zero: undefined, schema },
      ]),
    );
    const named = record<Record<string, Command | undefined>>(fields);
    const command: Field<BatchedCommand> = {
      read: (scanner) => Object.values(named.read(scanner)).find((found) => found !== undefined) ?? 'nothing',
      zero: undefined,
      schema: named.schema,
    };
    this.#request = record<BatchRequest>({ commands: listOf(command), parallel: flag });
  }

  get schema(): JsonSchema {
    return this.#request.schema;
  }

  /**
   * Reads a batch. What it returns carries the commands out and returns the answer.
   * @throws MalformedJsonError
   */
  read(scanner: JsonScanner): (settle: (command: Command) => Promise<Outcome>) => Promise<string> {
    const { commands, parallel } = this.#request.read(scanner);
    return async (settle) => {
      if (commands.length === 0) return '{}';
      const replies: string[] = [];
      if (parallel) replies.push(...(await Promise.all(commands.map((command) => reply(command, settle)))));
      else for (const command of commands) replies.push(await reply(command, settle));
      return `{"replies":[${replies.join(',')}]}`;
    };
  }
}

async function reply(
  command: BatchedCommand,
  settle: (command: Command) => Promise<Outcome>,
): Promise<string> {
  if (command === undefined) return `{"error":${faultText(apiFaults.badRequest)}}`;
  if (command === 'nothing') return `{"error":${faultText(apiFaults.notFound)}}`;
  const outcome = await settle(command);
  return 'result' in outcome
    ? `{"${command.method}":${outcome.result}}`
    : `{"error":${faultText(outcome.fault)}}`;
}
