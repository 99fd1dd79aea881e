import type { JsonScanner } from '../../json/index.js';
import type { JsonSchema } from '../../schema/index.js';
import type { BatchedCommand } from './requests.js';

/** What surrounds a command: the HTTP request that it came in. */
export interface CommandContext {
  /** Valid W3C trace context, where the caller sent one. */
  readonly traceparent: string | undefined;
  /** Runs a part of a command and makes a reply of its outcome: `{"result":…}` or `{"error":…}`. Never rejects. */
  reply(method: string, run: () => Promise<string> | string): Promise<string>;
}

/** A request that was read. */
export interface Command {
  readonly method: string;
  /**
   * Returns the result as JSON text.
   * @throws ApiRefusal, or any error of delivery or the lanes
   */
  run(this: void, context: CommandContext): Promise<string> | string;
}

/** One method of the API. */
export interface Method {
  readonly name: string;
  readonly summary: string;
  /** Of the request, as JSON Schema. */
  readonly schema: JsonSchema;
  /** @throws MalformedJsonError */
  read(this: void, scanner: JsonScanner): Command;
  /** Returns the command if the batched command has a request of this method. */
  pick(this: void, batched: BatchedCommand): Command | undefined;
}
