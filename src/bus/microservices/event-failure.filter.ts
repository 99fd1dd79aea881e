import { type ArgumentsHost, Catch, type RpcExceptionFilter } from '@nestjs/common';
import { type Observable, throwError } from 'rxjs';

/**
 * Passes the errors of `@EventPattern` handlers to the failure policy unchanged: `@UseFilters(EventFailureFilter)`.
 * Nest's own filter keeps the message of an `RpcException`, and replaces every other error by "Internal server
 * error". The dead letter would then not contain the reason, and an `UnhandleableEventError` would be retried.
 */
@Catch()
export class EventFailureFilter implements RpcExceptionFilter<unknown> {
  catch(failure: unknown, host: ArgumentsHost): Observable<never> {
    // Only Nest knows how other transports report errors.
    if (host.getType() !== 'rpc') throw failure;
    return throwError(() => failure);
  }
}
