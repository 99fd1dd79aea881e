import { repeatableClaim } from '../repeatable-claim.js';
import { RedisScript } from '../script.js';
import { PAGE_BUDGET, quota, removeStale, uncount } from './usage-scripts.js';

/*
 * The keys of a schedule in Redis. They share one hash tag, so that a Cluster keeps them on one node:
 *
 *   pending     sorted set   ids of messages whose first hand-over has not begun, by due time
 *   held        sorted set   ids of leased messages, by the time at which they may be claimed again: the end of the lease,
 *                            or of the pause after a failure
 *   hold        hash         id → '<attempt> <due time>' of the ids in `held`
 *   message     hash         id → '<length of channel>:<channel><bytes>' of the ids in both sets
 *   channel     sorted set   entries '<hash of channel><due time><id>' of the ids in `pending`; all scores are 0, so that
 *                            the order is lexical
 *   cost        hash         id → '<size> <owner> <summary>' of the ids in `message`, see `usage-scripts.ts`
 *   usage       hash         what the messages with a cost count for together
 *   finished:ID string       exists for a while after the id was handed over or cancelled
 *   claimed:ID  string       the last claim of a consumer, see `repeatableClaim`
 *
 * Leases and pauses are measured by the clock of Redis only. Times are Unix times in ms.
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

/**
 * Adds a message unless its id is known. ARGV: id, due time, value, then what `count` takes. Returns 1, or 0 if the id is
 * known, or the limit that is reached.
 */
export const add = new RedisScript(`${prelude}${quota}${uncount}${removeStale}
local pending, message, channels, finished, costs, usage = unpack(KEYS)
local id, due, value = unpack(ARGV)
if redis.call('EXISTS', finished) == 1 or redis.call('HEXISTS', message, id) == 1 then return 0 end
local reached = count(costs, usage, id, #value, 4)
if reached then
  removeStale(costs, usage, function(each) return redis.call('HEXISTS', message, each) end)
  return reached
end
redis.call('HSET', message, id, value)
redis.call('ZADD', pending, due, id)
redis.call('ZADD', channels, 0, entryOf(channelOf(value), due, id))
return 1
`);

const forget = `${uncount}
local function forget(pending, message, channels, costs, usage, id, finished, rememberMs)
  local due, value = redis.call('ZSCORE', pending, id), redis.call('HGET', message, id)
  if due and value then redis.call('ZREM', channels, entryOf(channelOf(value), due, id)) end
  redis.call('ZREM', pending, id)
  redis.call('HDEL', message, id)
  uncount(costs, usage, id)
  redis.call('SET', finished, '', 'PX', rememberMs)
end
`;

/** Returns 1, or 0 if the message is not pending. */
export const cancel = new RedisScript(`${prelude}${forget}
local pending, message, channels, finished, costs, usage = unpack(KEYS)
local id, rememberMs = unpack(ARGV)
if not redis.call('ZSCORE', pending, id) then return 0 end
forget(pending, message, channels, costs, usage, id, finished, rememberMs)
return 1
`);

/** Also settles a message whose lease has expired: it was handed over, and must not be handed over again. */
export const settle = new RedisScript(`${prelude}${forget}
local pending, message, channels, finished, costs, usage, held, hold = unpack(KEYS)
local id, rememberMs = unpack(ARGV)
redis.call('ZREM', held, id)
redis.call('HDEL', hold, id)
forget(pending, message, channels, costs, usage, id, finished, rememberMs)
return 1
`);

/** Returns 1, or 0 if the message is not pending. */
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

/**
 * Claims due messages, and messages whose lease or pause has ended. Returns the time in ms until the next claim may
 * succeed (-1 if there is nothing to wait for), then the id, attempt, due time and value of each claimed message. A
 * repeated claim returns the messages that it has already claimed.
 */
export const claim = RedisScript.allowedWhenFull(`${prelude}${repeatableClaim}${uncount}
local pending, message, channels, held, hold, claimed, costs, usage = unpack(KEYS)
local callerNow, leaseMs, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local store = storeNow()
local now = math.min(store, callerNow)
local reply, count, taken = { -1 }, 0, {}

local function take(id, attempt, due)
  local value = redis.call('HGET', message, id)
  -- The value was evicted, or deleted by hand. The id must not block the others.
  if not value then
    redis.call('ZREM', held, id)
    redis.call('HDEL', hold, id)
    uncount(costs, usage, id)
    return
  end
  redis.call('ZADD', held, store + leaseMs, id)
  redis.call('HSET', hold, id, attempt .. ' ' .. due)
  count = count + 1
  taken[count] = { id, tostring(attempt) }
  for _, part in ipairs({ id, attempt, due, value }) do reply[#reply + 1] = part end
  return value
end

local earlier = takenEarlier(claimed, ARGV[4])
if earlier then
  for _, claim in ipairs(earlier) do
    if isHeldBy(hold, claim[1], claim[2]) then
      local attempt, due = string.match(redis.call('HGET', hold, claim[1]), '^(%d+) (.+)$')
      take(claim[1], tonumber(attempt), due)
    end
  end
  reply[1] = 0
  return reply
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
  if reply[1] < 0 or wait < reply[1] then reply[1] = wait end
end
waitFor(pending, now)
waitFor(held, store)
rememberTaken(claimed, ARGV[4], ARGV[5], taken)
return reply
`);

/** Lets others claim the message after a pause, if the caller still has its lease. */
export const release = RedisScript.allowedWhenFull(`${prelude}
local held, hold = unpack(KEYS)
local id, attempt, pauseMs = unpack(ARGV)
if not isHeldBy(hold, id, attempt) then return 0 end
return redis.call('ZADD', held, 'XX', 'CH', storeNow() + pauseMs, id)
`);

/**
 * ARGV: duration in ms from now, then id and attempt of each lease. Leaves out leases that the caller no longer has.
 */
export const extend = RedisScript.allowedWhenFull(`${prelude}
local held, hold = unpack(KEYS)
local leaseEnd = storeNow() + ARGV[1]
for i = 2, #ARGV, 2 do
  if isHeldBy(hold, ARGV[i], ARGV[i + 1]) then redis.call('ZADD', held, 'XX', leaseEnd, ARGV[i]) end
end
return 1
`);

/** Returns id, due time and value, or an empty list if the message is not pending. */
export const find = new RedisScript(`
local pending, message = unpack(KEYS)
local due = redis.call('ZSCORE', pending, ARGV[1])
if not due then return {} end
return { ARGV[1], due, redis.call('HGET', message, ARGV[1]) }
`);

/**
 * Appends messages to `reply`: the id, the due time, the summary (empty: none is stored), and the value if there is no summary.
 * Returns true if the page is full before all of them. Values are read only for messages of an earlier version.
 */
const summaries = `
local bytes = 0
local function append(reply, costs, message, id, due)
  local cost = redis.call('HGET', costs, id)
  local summary = cost and string.match(cost, '^%d+ %S+ (.*)$') or ''
  local value = summary == '' and redis.call('HGET', message, id) or ''
  -- A value that was deleted by hand.
  if summary == '' and value == '' then return end
  bytes = bytes + #summary + #value
  if #reply > 0 and bytes > ${PAGE_BUDGET} then return true end
  for _, part in ipairs({ id, due, summary, value }) do reply[#reply + 1] = part end
end
`;

/** Returns at most `limit` pending messages after the cursor. */
export const page = new RedisScript(`${summaries}
local pending, message, costs = unpack(KEYS)
local limit, cursorDue, cursorId = unpack(ARGV)

-- Lua compares strings by the server's locale, but a sorted set compares bytes.
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

local reply = {}
local found = redis.call('ZRANGE', pending, first, first + limit - 1, 'WITHSCORES')
for i = 1, #found, 2 do
  if append(reply, costs, message, found[i], found[i + 1]) then return { 1, reply } end
end
return { #found == 2 * limit and 1 or 0, reply }
`);

/** Like {@link page}, for one channel. */
export const channelPage = new RedisScript(`${prelude}${summaries}
local channels, message, costs = unpack(KEYS)
local channel, limit, cursorDue, cursorId = unpack(ARGV)
local hash = redis.sha1hex(channel)
local first = cursorDue and '(' .. entryOf(channel, cursorDue, cursorId) or '[' .. hash
local reply = {}
local entries = redis.call('ZRANGEBYLEX', channels, first, '(' .. hash .. ':', 'LIMIT', 0, limit)
for _, entry in ipairs(entries) do
  local due, id = string.sub(entry, 41, 56), string.sub(entry, 57)
  if append(reply, costs, message, id, due) then return { 1, reply } end
end
return { #entries == tonumber(limit) and 1 or 0, reply }
`);
