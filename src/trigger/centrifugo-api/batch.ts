import { Semaphore, Turns } from '../../async/index.js';
import type { JsonScanner } from '../../json/index.js';
import { readMessage } from '../../schema/index.js';
import type { ApiOptions } from './api.options.js';
import { apiFaults, limitExceeded } from './api.errors.js';
import type { Command } from './command.js';
import type { Methods } from './methods.js';
import { faultText, type Outcome } from './replies.js';
import { batchedCommand, batchRequest } from './request-schemas.js';
import type { BatchedCommand } from './requests.js';

/** Commands of a parallel batch that run at a time. */
const PARALLEL = 16;

/** Methods whose results may be large. They change nothing, so they need not run if there is no room for their results. */
export const QUERIES: ReadonlySet<string> = new Set(['history', 'presence', 'channels', 'info']);

type Settle = (command: Command) => Promise<Outcome>;

/** Runs several commands of one request. The replies have the order of the commands. */
export class Batch {
  constructor(
    private readonly methods: Methods,
    private readonly options: Pick<ApiOptions, 'maxBatchCommands' | 'responseMaxBytes'>,
  ) {}

  /**
   * Reads a batch. Returns a function that runs the commands and returns the response.
   * @throws MalformedJsonError
   */
  read(scanner: JsonScanner): (settle: Settle) => Promise<string> {
    const { commands, parallel } = readMessage(scanner, batchRequest);
    const { maxBatchCommands, responseMaxBytes } = this.options;
    if (commands.length > maxBatchCommands) {
      const message = `the batch has ${commands.length} commands: at most ${maxBatchCommands} are accepted (api.maxBatchCommands)`;
      const refusal = `{"error":${faultText(limitExceeded(message).fault)}}`;
      return () => Promise.resolve(refusal);
    }
    return async (settle) => {
      if (commands.length === 0) return '{}';
      const turns = new Turns();
      let room = responseMaxBytes;
      const replyTo = async (given: BatchedCommand): Promise<string> => {
        if (turns.isOver) await turns.next();
        const reply = await this.#reply(given, room, settle);
        room -= reply.length;
        return reply;
      };
      const replies: string[] = [];
      if (parallel) {
        const semaphore = new Semaphore(PARALLEL);
        replies.push(...(await Promise.all(commands.map((each) => semaphore.run(() => replyTo(each))))));
      } else for (const each of commands) replies.push(await replyTo(each));
      return `{"replies":[${replies.join(',')}]}`;
    };
  }

  async #reply(given: BatchedCommand, room: number, settle: Settle): Promise<string> {
    // A null in the list is read as the shared message without fields.
    if (given === batchedCommand.zero) return `{"error":${faultText(apiFaults.badRequest)}}`;
    const command = this.methods.commandOf(given);
    if (command === undefined) return `{"error":${faultText(apiFaults.notFound)}}`;
    const outcome = await settleWithin(room, command, settle);
    return 'result' in outcome
      ? `{"${command.method}":${outcome.result}}`
      : `{"error":${faultText(outcome.fault)}}`;
  }
}

/** Runs a command, unless its result may be large and the response has no room for it. */
export async function settleWithin(room: number, command: Command, settle: Settle): Promise<Outcome> {
  return room <= 0 && QUERIES.has(command.method) ? { fault: FULL } : settle(command);
}

const FULL = limitExceeded(
  'the response has api.responseMaxBytes already: send this command in another request',
).fault;
