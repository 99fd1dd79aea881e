import { RedisScript } from '../script.js';

/*
 * What Redis holds for parked records, under one hash tag, so that a Cluster keeps it on one node:
 *
 *   record         hash         id → bytes
 *   waiting:GROUP  set          ids that are waiting
 *   ready:GROUP    sorted set   of those waiting, what stands in no line or first in one: id by the time from which it may be
 *                               claimed, which is its due time, or the end of its lease
 *   line:GROUP:…   list         ids of those waiting, first come first
 *   claims         hash         id → how often it was claimed; a holder is known by the number that it was given
 *   dead…          sorted sets  ids of the dead: all, by group, by topic, by both; in lexical order
 *
 * Leases run on the clock of Redis alone. Numbers are Unix times in ms.
 */
const prelude = `
local function storeNow()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- A line is named by its key; '' is none.
local function enter(ready, line, id, dueAt)
  if line == '' or redis.call('RPUSH', line, id) == 1 then redis.call('ZADD', ready, dueAt, id) end
end

local function leave(waiting, ready, claims, line, id)
  redis.call('SREM', waiting, id)
  redis.call('ZREM', ready, id)
  redis.call('HDEL', claims, id)
  if line == '' then return end
  redis.call('LREM', line, 1, id)
  local first = redis.call('LINDEX', line, 0)
  if first then redis.call('ZADD', ready, 'NX', storeNow(), first) end
end

local function isHeldBy(waiting, claims, id, claim)
  return redis.call('SISMEMBER', waiting, id) == 1 and redis.call('HGET', claims, id) == claim
end
`;

/** KEYS after the first three: the lines. ARGV after the first: id, bytes, due time, number of its line (0: none). */
export const add = new RedisScript(`${prelude}
local record, waiting, ready = KEYS[1], KEYS[2], KEYS[3]
if redis.call('SCARD', waiting) + (#ARGV - 1) / 4 > tonumber(ARGV[1]) then return 0 end
for i = 2, #ARGV, 4 do
  local id, bytes, dueAt, line = ARGV[i], ARGV[i + 1], ARGV[i + 2], tonumber(ARGV[i + 3])
  if redis.call('HSETNX', record, id, bytes) == 1 then
    redis.call('SADD', waiting, id)
    enter(ready, line == 0 and '' or KEYS[3 + line], id, dueAt)
  end
end
return 1
`);

/** Answers for each of the KEYS whether it has anybody. */
export const blockedKeys = new RedisScript(`
local answer = {}
for i, line in ipairs(KEYS) do answer[i] = redis.call('EXISTS', line) end
return answer
`);

/** Answers the wait in ms until the next claim may succeed (-1: nothing waits), then claim, bytes of each. */
export const claim = RedisScript.allowedWhenFull(`${prelude}
local record, ready, claims = unpack(KEYS)
local store = storeNow()
local now = math.min(store, tonumber(ARGV[1]))
local answer = { -1 }
for _, id in ipairs(redis.call('ZRANGEBYSCORE', ready, '-inf', now, 'LIMIT', 0, ARGV[3])) do
  local bytes = redis.call('HGET', record, id)
  if bytes then
    redis.call('ZADD', ready, store + ARGV[2], id)
    answer[#answer + 1] = tostring(redis.call('HINCRBY', claims, id, 1))
    answer[#answer + 1] = bytes
  else
    -- Evicted, or removed by hand: it must not hold up the others.
    redis.call('ZREM', ready, id)
  end
end
local first = redis.call('ZRANGE', ready, 0, 0, 'WITHSCORES')[2]
if first then answer[1] = math.max(0, first - now) end
return answer
`);

/** Whoever handled it may say so, also after its lease: it must not be tried once more. */
export const handled = new RedisScript(`${prelude}
local record, waiting, ready, claims, line = unpack(KEYS)
if redis.call('SISMEMBER', waiting, ARGV[1]) == 0 then return 0 end
leave(waiting, ready, claims, line or '', ARGV[1])
return redis.call('HDEL', record, ARGV[1])
`);

export const again = RedisScript.allowedWhenFull(`${prelude}
local record, waiting, ready, claims = unpack(KEYS)
local id, claim, bytes, dueAt = unpack(ARGV)
if not isHeldBy(waiting, claims, id, claim) then return 0 end
redis.call('HSET', record, id, bytes)
redis.call('ZADD', ready, dueAt, id)
return 1
`);

/** KEYS: record, waiting, ready, claims, the indexes of the dead, and the line where it stands in one. */
export const bury = RedisScript.allowedWhenFull(`${prelude}
local record, waiting, ready, claims = unpack(KEYS)
local id, claim, bytes = unpack(ARGV)
if not isHeldBy(waiting, claims, id, claim) then return 0 end
redis.call('HSET', record, id, bytes)
leave(waiting, ready, claims, KEYS[9] or '', id)
for i = 5, 8 do redis.call('ZADD', KEYS[i], 0, id) end
return 1
`);

export const release = RedisScript.allowedWhenFull(`${prelude}
local waiting, ready, claims = unpack(KEYS)
local id, claim, pauseMs = unpack(ARGV)
if not isHeldBy(waiting, claims, id, claim) then return 0 end
return redis.call('ZADD', ready, 'XX', 'CH', storeNow() + pauseMs, id)
`);

/** Extends the leases of id, claim, id, claim … that are still the caller's. */
export const extend = RedisScript.allowedWhenFull(`${prelude}
local waiting, ready, claims = unpack(KEYS)
local leaseEnd = storeNow() + ARGV[1]
for i = 2, #ARGV, 2 do
  if isHeldBy(waiting, claims, ARGV[i], ARGV[i + 1]) then redis.call('ZADD', ready, 'XX', leaseEnd, ARGV[i]) end
end
return 1
`);

const unbury = `
local function unbury(id, firstIndex)
  if redis.call('ZREM', KEYS[firstIndex], id) == 0 then return false end
  for i = firstIndex + 1, firstIndex + 3 do redis.call('ZREM', KEYS[i], id) end
  return true
end
`;

/** KEYS: record, waiting, ready, the indexes of the dead, and the line where it stands in one. */
export const redrive = new RedisScript(`${prelude}${unbury}
local record, waiting, ready = unpack(KEYS)
local id, bytes, dueAt = unpack(ARGV)
if not unbury(id, 4) then return 0 end
redis.call('HSET', record, id, bytes)
redis.call('SADD', waiting, id)
enter(ready, KEYS[8] or '', id, dueAt)
return 1
`);

/** KEYS: record, the indexes of the dead. */
export const drop = new RedisScript(`${unbury}
if not unbury(ARGV[1], 2) then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[1])
`);

/** Answers the bytes of each after the cursor, at most \`limit\`. */
export const page = new RedisScript(`
local record, index = unpack(KEYS)
local first = ARGV[2] and '(' .. ARGV[2] or '-'
local answer = {}
for _, id in ipairs(redis.call('ZRANGEBYLEX', index, first, '+', 'LIMIT', 0, ARGV[1])) do
  local bytes = redis.call('HGET', record, id)
  if bytes then answer[#answer + 1] = bytes end
end
return answer
`);
