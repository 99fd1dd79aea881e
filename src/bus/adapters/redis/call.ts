import { redisFailure } from '../../../redis/index.js';
import { BrokerUnavailableError, CallRefusedError } from '../../bus.errors.js';

/**
 * Waits for a call to Redis and translates its error.
 * @throws {BrokerUnavailableError}
 */
export async function redisCall<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    const { reason, cause } = redisFailure(error);
    const Failure = cause.name === 'ReplyError' ? CallRefusedError : BrokerUnavailableError;
    throw new Failure('redis', reason, { cause });
  }
}
