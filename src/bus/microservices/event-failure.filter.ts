import { type ArgumentsHost, Catch, type RpcExceptionFilter } from '@nestjs/common';
import { type Observable, throwError } from 'rxjs';

/**
 * Leaves the failures of `@EventPattern` handlers as they are, for the failure policy: `@UseFilters(EventFailureFilter)`.
 * Nest's own filter keeps what an `RpcException` says, and makes an "Internal server error" of everything else: the dead
 * letter would not tell the reason then, and an `UnhandleableEventError` would be tried again.
 */
@Catch()
export class EventFailureFilter implements RpcExceptionFilter<unknown> {
  catch(failure: unknown, host: ArgumentsHost): Observable<never> {
    // Of other transports only Nest knows the form.
    if (host.getType() !== 'rpc') throw failure;
    return throwError(() => failure);
  }
}
