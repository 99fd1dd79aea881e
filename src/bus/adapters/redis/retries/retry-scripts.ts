import { repeatableClaim } from '../repeatable-claim.js';
import { RedisScript } from '../script.js';

/*
 * The keys of retry records in Redis. They share one hash tag, so that a Cluster keeps them on one node:
 *
 *   record         hash         id → bytes
 *   waiting:GROUP  set          ids of waiting records
 *   ready:GROUP    sorted set   ids of waiting records that have no ordering key or are the first of their queue, by the
 *                               time at which they may be claimed: the due time, or the end of the lease
 *   line:GROUP:…   list         the queue of an ordering key: ids of its waiting records, oldest first
 *   claimed:ID     string       the last claim of a consumer, see `repeatableClaim`
 *   claims         hash         id → how often the record was claimed; a process proves its lease by this number
 *   dead:summary   hash         id of a dead letter → '<size> <summary>'
 *   dead:time      sorted set   ids of dead letters by the time at which they died
 *   dead:usage     hash         bytes: of all dead letters; dropped: how many were dropped because of the limits
 *   dead…          sorted sets  ids of dead letters: all, by group, by topic, by both; in lexical order
 *
 * Leases are measured by the clock of Redis only. Times are Unix times in ms.
 */
export const prelude = `
local function storeNow()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- queue is a key, or '' for a record without an ordering key.
local function enqueue(ready, queue, id, dueAt)
  if queue == '' or redis.call('RPUSH', queue, id) == 1 then redis.call('ZADD', ready, dueAt, id) end
end

local function dequeue(waiting, ready, claims, queue, id)
  redis.call('SREM', waiting, id)
  redis.call('ZREM', ready, id)
  redis.call('HDEL', claims, id)
  if queue == '' then return end
  redis.call('LREM', queue, 1, id)
  local first = redis.call('LINDEX', queue, 0)
  if first then redis.call('ZADD', ready, 'NX', storeNow(), first) end
end

local function isHeldBy(waiting, claims, id, claim)
  return redis.call('SISMEMBER', waiting, id) == 1 and redis.call('HGET', claims, id) == claim
end
`;

/**
 * KEYS: record, waiting, ready, then the queues. ARGV: largest number of waiting records, then the id, bytes, due
 * time and number of the queue (0 for none) of each record. Returns 1, or 0 if there would be too many.
 */
export const add = new RedisScript(`${prelude}
local record, waiting, ready = KEYS[1], KEYS[2], KEYS[3]
if redis.call('SCARD', waiting) + (#ARGV - 1) / 4 > tonumber(ARGV[1]) then return 0 end
for i = 2, #ARGV, 4 do
  local id, bytes, dueAt, queue = ARGV[i], ARGV[i + 1], ARGV[i + 2], tonumber(ARGV[i + 3])
  if redis.call('HSETNX', record, id, bytes) == 1 then
    redis.call('SADD', waiting, id)
    enqueue(ready, queue == 0 and '' or KEYS[3 + queue], id, dueAt)
  end
end
return 1
`);

/** KEYS: queues. Returns for each 1 if it has a record, otherwise 0. */
export const blockedKeys = new RedisScript(`
local reply = {}
for i, queue in ipairs(KEYS) do reply[i] = redis.call('EXISTS', queue) end
return reply
`);

/**
 * Returns the time in ms until the next claim may succeed (-1 if there is nothing to wait for), then the claim and
 * bytes of each record. A repeated claim returns the records that it has already claimed.
 */
export const claim = RedisScript.allowedWhenFull(`${prelude}${repeatableClaim}
local record, ready, claims, claimed, waiting = unpack(KEYS)
local store = storeNow()
local now = math.min(store, tonumber(ARGV[1]))
local reply, taken = { -1 }, {}
local earlier = takenEarlier(claimed, ARGV[4])
if earlier then
  for _, claim in ipairs(earlier) do
    local bytes = redis.call('HGET', record, claim[1])
    if bytes and isHeldBy(waiting, claims, claim[1], claim[2]) then
      redis.call('ZADD', ready, 'XX', store + ARGV[2], claim[1])
      reply[#reply + 1] = claim[2]
      reply[#reply + 1] = bytes
    end
  end
  reply[1] = 0
  return reply
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', ready, '-inf', now, 'LIMIT', 0, ARGV[3])) do
  local bytes = redis.call('HGET', record, id)
  if bytes then
    redis.call('ZADD', ready, store + ARGV[2], id)
    local number = tostring(redis.call('HINCRBY', claims, id, 1))
    taken[#taken + 1] = { id, number }
    reply[#reply + 1] = number
    reply[#reply + 1] = bytes
  else
    -- The record was evicted, or deleted by hand. The id must not block the others.
    redis.call('ZREM', ready, id)
  end
end
local first = redis.call('ZRANGE', ready, 0, 0, 'WITHSCORES')[2]
if first then reply[1] = math.max(0, first - now) end
rememberTaken(claimed, ARGV[4], ARGV[5], taken)
return reply
`);

/** Also removes a record whose lease has expired: it was handled, and must not be tried again. */
export const handled = new RedisScript(`${prelude}
local record, waiting, ready, claims, queue = unpack(KEYS)
if redis.call('SISMEMBER', waiting, ARGV[1]) == 0 then return 0 end
dequeue(waiting, ready, claims, queue or '', ARGV[1])
return redis.call('HDEL', record, ARGV[1])
`);

/** Stores the record after a failed attempt, to be claimed again when it is due. */
export const retry = RedisScript.allowedWhenFull(`${prelude}
local record, waiting, ready, claims = unpack(KEYS)
local id, claim, bytes, dueAt = unpack(ARGV)
if not isHeldBy(waiting, claims, id, claim) then return 0 end
redis.call('HSET', record, id, bytes)
redis.call('ZADD', ready, dueAt, id)
return 1
`);

/** Lets others claim the record after a pause, if the caller still has its lease. */
export const release = RedisScript.allowedWhenFull(`${prelude}
local waiting, ready, claims = unpack(KEYS)
local id, claim, pauseMs = unpack(ARGV)
if not isHeldBy(waiting, claims, id, claim) then return 0 end
return redis.call('ZADD', ready, 'XX', 'CH', storeNow() + pauseMs, id)
`);

/** ARGV: duration in ms from now, then id and claim of each lease. Leaves out leases that the caller no longer has. */
export const extend = RedisScript.allowedWhenFull(`${prelude}
local waiting, ready, claims = unpack(KEYS)
local leaseEnd = storeNow() + ARGV[1]
for i = 2, #ARGV, 2 do
  if isHeldBy(waiting, claims, ARGV[i], ARGV[i + 1]) then redis.call('ZADD', ready, 'XX', leaseEnd, ARGV[i]) end
end
return 1
`);
