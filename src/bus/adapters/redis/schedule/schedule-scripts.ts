import { RedisScript } from '../script.js';

/*
 * What Redis holds for a schedule, under one hash tag, so that a Cluster keeps it on one node:
 *
 *   pending     sorted set   id by due time, until its first hand-over begins
 *   held        sorted set   id by the time from which it may be claimed again: the end of its lease, or of its pause
 *   hold        hash         id → '<attempt> <due time>' for those in `held`
 *   message     hash         id → '<length of channel>:<channel><bytes>' for those in either set
 *   channel     sorted set   entries '<hash of channel><due time><id>' of those pending, all with score 0: in lexical order
 *   finished:ID string       expires; the id was handed over or cancelled a moment ago
 *
 * Leases and pauses run on the clock of Redis alone. Numbers are Unix times in ms.
 */
const prelude = `
local function storeNow()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function channelOf(value)
  local colon = string.find(value, ':', 1, true)
  return string.sub(value, colon + 1, colon + tonumber(string.sub(value, 1, colon - 1)))
end

local function entryOf(channel, due, id)
  return redis.sha1hex(channel) .. string.format('%016.0f', due) .. id
end

local function isHeldBy(holdKey, id, attempt)
  local hold = redis.call('HGET', holdKey, id)
  return hold and string.match(hold, '^%d+') == attempt
end
`;

export const add = new RedisScript(`${prelude}
local pending, message, channels, finished = unpack(KEYS)
local id, due, value = unpack(ARGV)
if redis.call('EXISTS', finished) == 1 or redis.call('HSETNX', message, id, value) == 0 then return 0 end
redis.call('ZADD', pending, due, id)
redis.call('ZADD', channels, 0, entryOf(channelOf(value), due, id))
return 1
`);

const forget = `
local function forget(pending, message, channels, id, finished, rememberMs)
  local due, value = redis.call('ZSCORE', pending, id), redis.call('HGET', message, id)
  if due and value then redis.call('ZREM', channels, entryOf(channelOf(value), due, id)) end
  redis.call('ZREM', pending, id)
  redis.call('HDEL', message, id)
  redis.call('SET', finished, '', 'PX', rememberMs)
end
`;

export const cancel = new RedisScript(`${prelude}${forget}
local pending, message, channels, finished = unpack(KEYS)
local id, rememberMs = unpack(ARGV)
if not redis.call('ZSCORE', pending, id) then return 0 end
forget(pending, message, channels, id, finished, rememberMs)
return 1
`);

/** Whoever handed it over may settle it, also after its lease: it must not come once more. */
export const settle = new RedisScript(`${prelude}${forget}
local pending, message, channels, finished, held, hold = unpack(KEYS)
local id, rememberMs = unpack(ARGV)
redis.call('ZREM', held, id)
redis.call('HDEL', hold, id)
forget(pending, message, channels, id, finished, rememberMs)
return 1
`);

export const reschedule = new RedisScript(`${prelude}
local pending, message, channels = unpack(KEYS)
local id, due = unpack(ARGV)
local former = redis.call('ZSCORE', pending, id)
if not former then return 0 end
local channel = channelOf(redis.call('HGET', message, id))
redis.call('ZREM', channels, entryOf(channel, former, id))
redis.call('ZADD', channels, 0, entryOf(channel, due, id))
redis.call('ZADD', pending, due, id)
return 1
`);

/** Answers the wait in ms until the next claim may succeed (-1: nothing waits), then id, attempt, due time, value of each. */
export const claim = RedisScript.makingRoom(`${prelude}
local pending, message, channels, held, hold = unpack(KEYS)
local callerNow, leaseMs, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local store = storeNow()
local now = math.min(store, callerNow)
local answer, count = { -1 }, 0

local function take(id, attempt, due)
  local value = redis.call('HGET', message, id)
  -- Evicted, or removed by hand: it must not hold up the others.
  if not value then
    redis.call('ZREM', held, id)
    redis.call('HDEL', hold, id)
    return
  end
  redis.call('ZADD', held, store + leaseMs, id)
  redis.call('HSET', hold, id, attempt .. ' ' .. due)
  count = count + 1
  for _, part in ipairs({ id, attempt, due, value }) do answer[#answer + 1] = part end
  return value
end

for _, id in ipairs(redis.call('ZRANGEBYSCORE', held, '-inf', store, 'LIMIT', 0, limit)) do
  local attempt, due = string.match(redis.call('HGET', hold, id) or '0 0', '^(%d+) (.+)$')
  take(id, attempt + 1, due)
end

local due = redis.call('ZRANGEBYSCORE', pending, '-inf', now, 'WITHSCORES', 'LIMIT', 0, limit - count)
for i = 1, #due, 2 do
  local id, at = due[i], due[i + 1]
  local value = take(id, 1, at)
  redis.call('ZREM', pending, id)
  if value then redis.call('ZREM', channels, entryOf(channelOf(value), at, id)) end
end

local function waitFor(set, clock)
  local first = redis.call('ZRANGE', set, 0, 0, 'WITHSCORES')[2]
  if not first then return end
  local wait = math.max(0, first - clock)
  if answer[1] < 0 or wait < answer[1] then answer[1] = wait end
end
waitFor(pending, now)
waitFor(held, store)
return answer
`);

export const release = RedisScript.makingRoom(`${prelude}
local held, hold = unpack(KEYS)
local id, attempt, pauseMs = unpack(ARGV)
if not isHeldBy(hold, id, attempt) then return 0 end
return redis.call('ZADD', held, 'XX', 'CH', storeNow() + pauseMs, id)
`);

/** Extends the leases of id, attempt, id, attempt … that are still the caller's. */
export const extend = RedisScript.makingRoom(`${prelude}
local held, hold = unpack(KEYS)
local leaseEnd = storeNow() + ARGV[1]
for i = 2, #ARGV, 2 do
  if isHeldBy(hold, ARGV[i], ARGV[i + 1]) then redis.call('ZADD', held, 'XX', leaseEnd, ARGV[i]) end
end
return 1
`);

/** Answers id, due time, value. */
export const find = new RedisScript(`
local pending, message = unpack(KEYS)
local due = redis.call('ZSCORE', pending, ARGV[1])
if not due then return {} end
return { ARGV[1], due, redis.call('HGET', message, ARGV[1]) }
`);

/** Answers id, due time, value of each after the cursor, at most \`limit\`. */
export const page = new RedisScript(`
local pending, message = unpack(KEYS)
local limit, cursorDue, cursorId = unpack(ARGV)

-- Lua compares by the server's locale, a sorted set by bytes.
local function isAfter(a, b)
  for i = 1, math.min(#a, #b) do
    local difference = string.byte(a, i) - string.byte(b, i)
    if difference ~= 0 then return difference > 0 end
  end
  return #a > #b
end

local first = 0
if cursorDue then
  local last = redis.call('ZCOUNT', pending, '-inf', cursorDue)
  first = redis.call('ZCOUNT', pending, '-inf', '(' .. cursorDue)
  while first < last do
    local middle = math.floor((first + last) / 2)
    if isAfter(redis.call('ZRANGE', pending, middle, middle)[1], cursorId) then last = middle else first = middle + 1 end
  end
end

local answer = {}
local found = redis.call('ZRANGE', pending, first, first + limit - 1, 'WITHSCORES')
for i = 1, #found, 2 do
  for _, part in ipairs({ found[i], found[i + 1], redis.call('HGET', message, found[i]) }) do answer[#answer + 1] = part end
end
return answer
`);

/** As {@link page}, for one channel. */
export const channelPage = new RedisScript(`${prelude}
local channels, message = unpack(KEYS)
local channel, limit, cursorDue, cursorId = unpack(ARGV)
local hash = redis.sha1hex(channel)
local first = cursorDue and '(' .. entryOf(channel, cursorDue, cursorId) or '[' .. hash
local answer = {}
for _, entry in ipairs(redis.call('ZRANGEBYLEX', channels, first, '(' .. hash .. ':', 'LIMIT', 0, limit)) do
  local due, id = string.sub(entry, 41, 56), string.sub(entry, 57)
  for _, part in ipairs({ id, due, redis.call('HGET', message, id) }) do answer[#answer + 1] = part end
end
return answer
`);
