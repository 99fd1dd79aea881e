import type { BrokerStatus } from '../../../metrics/index.js';
import { closeRedis, openRedis, type RedisClient, type RedisDriverOptions } from '../../../redis/index.js';
import { BusClosedError } from '../../bus.errors.js';
import { Idempotency } from '../../idempotency.port.js';
import { redisCall } from './call.js';
import { RedisScript } from './script.js';

/** KEYS: plan. ARGV: plan, time to live in ms. Returns the plan in force afterwards. */
const reserve = new RedisScript(`
local inForce = redis.call('GET', KEYS[1])
if inForce then return inForce end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]
`);

/**
 * KEYS: plan. ARGV: plan that must be in force, next plan, time to live in ms. Returns the plan in force afterwards.
 */
const replace = new RedisScript(`
local inForce = redis.call('GET', KEYS[1])
if inForce and inForce ~= ARGV[1] then return inForce end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return ARGV[2]
`);

/**
 * Plans in Redis, shared by all replicas. Each plan has a key of its own, which Redis lets expire; a Cluster spreads
 * them over its nodes.
 */
export class RedisIdempotency implements Idempotency {
  #closed: Promise<void> | undefined;

  private constructor(
    private readonly client: RedisClient,
    private readonly prefix: string,
  ) {}

  /** Resolves when Redis is connected, or when the first attempt failed. */
  static async open(options: RedisDriverOptions, status: BrokerStatus): Promise<RedisIdempotency> {
    return new RedisIdempotency(await openRedis(options, status), `${options.keyPrefix}:idempotency:`);
  }

  async reserve(key: string, plan: string, ttlMs: number): Promise<string> {
    this.#throwIfClosed();
    return String(await reserve.run(this.client, [this.prefix + key], [plan, Math.ceil(ttlMs)]));
  }

  async replace(key: string, plan: string, next: string, ttlMs: number): Promise<string> {
    this.#throwIfClosed();
    return String(await replace.run(this.client, [this.prefix + key], [plan, next, Math.ceil(ttlMs)]));
  }

  async release(key: string): Promise<void> {
    this.#throwIfClosed();
    await redisCall(this.client.del(this.prefix + key));
  }

  close(): Promise<void> {
    return (this.#closed ??= closeRedis(this.client));
  }

  #throwIfClosed(): void {
    if (this.#closed !== undefined) throw new BusClosedError();
  }
}
