import { redisFailure } from '../../../redis/index.js';
import { BrokerUnavailableError } from '../../bus.errors.js';

/**
 * Waits for a call to Redis and translates what goes wrong.
 * @throws {BrokerUnavailableError}
 */
export async function redisCall<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw redisUnavailable(error);
  }
}

export function redisUnavailable(error: unknown): BrokerUnavailableError {
  const { reason, cause } = redisFailure(error);
  return new BrokerUnavailableError('redis', reason, { cause });
}
