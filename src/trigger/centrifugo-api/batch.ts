import type { JsonScanner } from '../../json/index.js';
import { readMessage } from '../../schema/index.js';
import { apiFaults } from './api.errors.js';
import type { Command } from './command.js';
import type { Methods } from './methods.js';
import { faultText, type Outcome } from './replies.js';
import { batchedCommand, batchRequest } from './request-schemas.js';
import type { BatchedCommand } from './requests.js';

/** Runs several commands of one request. The replies have the order of the commands. */
export class Batch {
  constructor(private readonly methods: Methods) {}

  /**
   * Reads a batch. Returns a function that runs the commands and returns the response.
   * @throws MalformedJsonError
   */
  read(scanner: JsonScanner): (settle: (command: Command) => Promise<Outcome>) => Promise<string> {
    const { commands, parallel } = readMessage(scanner, batchRequest);
    return async (settle) => {
      if (commands.length === 0) return '{}';
      const replies: string[] = [];
      if (parallel) replies.push(...(await Promise.all(commands.map((each) => this.#reply(each, settle)))));
      else for (const each of commands) replies.push(await this.#reply(each, settle));
      return `{"replies":[${replies.join(',')}]}`;
    };
  }

  async #reply(given: BatchedCommand, settle: (command: Command) => Promise<Outcome>): Promise<string> {
    // A null in the list is read as the shared message without fields.
    if (given === batchedCommand.zero) return `{"error":${faultText(apiFaults.badRequest)}}`;
    const command = this.methods.commandOf(given);
    if (command === undefined) return `{"error":${faultText(apiFaults.notFound)}}`;
    const outcome = await settle(command);
    return 'result' in outcome
      ? `{"${command.method}":${outcome.result}}`
      : `{"error":${faultText(outcome.fault)}}`;
  }
}
