import type { BrokerStatus } from '../../../metrics/index.js';
import { BusClosedError } from '../../bus.errors.js';
import { Idempotency } from '../../idempotency.port.js';
import { closeRedis, openRedis, type RedisClient, type RedisDriverOptions } from '../../../redis/index.js';
import { redisCall } from './call.js';
import { RedisScript } from './script.js';

const reserve = new RedisScript(`
local inForce = redis.call('GET', KEYS[1])
if inForce then return inForce end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]
`);

const replace = new RedisScript(`
local inForce = redis.call('GET', KEYS[1])
if inForce and inForce ~= ARGV[1] then return inForce end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return ARGV[2]
`);

/** Plans shared by all replicas: one key each, which Redis itself lets expire, spread over the nodes of a Cluster. */
export class RedisIdempotency implements Idempotency {
  #closed: Promise<void> | undefined;

  private constructor(
    private readonly client: RedisClient,
    private readonly prefix: string,
  ) {}

  static async open(options: RedisDriverOptions, status: BrokerStatus): Promise<RedisIdempotency> {
    return new RedisIdempotency(await openRedis(options, status), `${options.keyPrefix}:idempotency:`);
  }

  async reserve(key: string, plan: string, ttlMs: number): Promise<string> {
    this.#refuseIfClosed();
    return String(await reserve.run(this.client, [this.prefix + key], [plan, Math.ceil(ttlMs)]));
  }

  async replace(key: string, plan: string, next: string, ttlMs: number): Promise<string> {
    this.#refuseIfClosed();
    return String(await replace.run(this.client, [this.prefix + key], [plan, next, Math.ceil(ttlMs)]));
  }

  async release(key: string): Promise<void> {
    this.#refuseIfClosed();
    await redisCall(this.client.del(this.prefix + key));
  }

  close(): Promise<void> {
    return (this.#closed ??= closeRedis(this.client));
  }

  #refuseIfClosed(): void {
    if (this.#closed !== undefined) throw new BusClosedError();
  }
}
