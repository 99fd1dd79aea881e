import type { JsonScanner } from '../../json/index.js';
import type { JsonSchema } from '../../schema/index.js';
import type { BatchedCommand } from './requests.js';

/** A decoded request. */
export interface Command<Result = unknown> {
  readonly method: string;
  /**
   * @param traceparent valid W3C trace context, if the caller sent one
   * @throws ApiRefusal, or any error of the operations
   */
  run(this: void, traceparent: string | undefined): Promise<Result> | Result;
  /** Returns the result as JSON text. */
  textOf(this: void, result: Result): string;
}

/** One method of the API. */
export interface Method {
  readonly name: string;
  readonly summary: string;
  /** Describes the request for the OpenAPI document. */
  readonly schema: JsonSchema;
  /** @throws MalformedJsonError */
  read(this: void, scanner: JsonScanner): Command;
  /** Returns the command if the batched command has a request of this method. */
  pick(this: void, batched: BatchedCommand): Command | undefined;
}
