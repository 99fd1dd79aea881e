import { DEAD_LETTER_PAGE_BYTES } from '../../../retries/dead-letter-summary.js';
import { RedisScript } from '../script.js';
import { prelude } from './retry-scripts.js';

/*
 * The indexes of dead letters are `dead`, `dead:group:GROUP`, `dead:topic:TOPIC` and `dead:both:GROUP\0TOPIC`, with the prefix that
 * ends before `dead`. KEYS of `forget` and `dropExcess`: record, dead, dead:summary, dead:time, dead:usage.
 */
const deadLetters = `
local function forgetSummary(id)
  local stored = redis.call('HGET', summaries, id)
  if not stored then return end
  redis.call('HDEL', summaries, id)
  redis.call('ZREM', times, id)
  if redis.call('EXISTS', summaries) == 0 then redis.call('HDEL', usage, 'bytes')
  else redis.call('HINCRBY', usage, 'bytes', '-' .. string.match(stored, '^%d+')) end
end

local function forget(id)
  local stored = redis.call('HGET', summaries, id)
  local header
  if stored then header = cjson.decode(string.match(stored, '^%d+ (.*)$'))
  else
    -- A dead letter of an earlier version: its header is in front of its body.
    local bytes = redis.call('HGET', record, id)
    if bytes then header = cjson.decode(string.sub(bytes, 5, 4 + struct.unpack('>I4', bytes))) end
  end
  redis.call('ZREM', dead, id)
  if header then
    local prefix = string.sub(dead, 1, -5)
    redis.call('ZREM', prefix .. 'dead:group:' .. header.group, id)
    redis.call('ZREM', prefix .. 'dead:topic:' .. header.topic, id)
    redis.call('ZREM', prefix .. 'dead:both:' .. header.group .. string.char(0) .. header.topic, id)
  end
  forgetSummary(id)
  redis.call('HDEL', record, id)
end

-- Returns how many were dropped, at most 100.
local function dropExcess(maxCount, maxBytes, ttlMs)
  local dropped = 0
  while dropped < 100 do
    local oldest = redis.call('ZRANGE', times, 0, 0, 'WITHSCORES')
    local isOld = oldest[1] and tonumber(oldest[2]) <= storeNow() - ttlMs
    local isFull = redis.call('ZCARD', dead) > tonumber(maxCount)
      or tonumber(redis.call('HGET', usage, 'bytes') or 0) > tonumber(maxBytes)
    local id = oldest[1] or redis.call('ZRANGE', dead, 0, 0)[1]
    if not id or not (isOld or isFull) then break end
    forget(id)
    dropped = dropped + 1
  end
  if dropped > 0 then redis.call('HINCRBY', usage, 'dropped', dropped) end
  return dropped
end
`;

/**
 * Drops dead letters that exceed the limits. KEYS: record, dead, dead:summary, dead:time, dead:usage. ARGV: the limits. Returns
 * their number, at most 100.
 */
export const dropExcess = RedisScript.allowedWhenFull(`${prelude}
local record, dead, summaries, times, usage = unpack(KEYS)
${deadLetters}
return dropExcess(ARGV[1], ARGV[2], ARGV[3])
`);

/**
 * Makes a waiting record a dead letter. KEYS: record, waiting, ready, claims, the indexes of dead letters, dead:summary, dead:time,
 * dead:usage, and the queue if it is in one. ARGV: id, claim, bytes, summary.
 */
export const deadLetter = RedisScript.allowedWhenFull(`${prelude}
local record, waiting, ready, claims = unpack(KEYS)
local id, claim, bytes, summary = unpack(ARGV)
if not isHeldBy(waiting, claims, id, claim) then return 0 end
redis.call('HSET', record, id, bytes)
dequeue(waiting, ready, claims, KEYS[12] or '', id)
for i = 5, 8 do redis.call('ZADD', KEYS[i], 0, id) end
redis.call('HSET', KEYS[9], id, #bytes .. ' ' .. summary)
redis.call('ZADD', KEYS[10], storeNow(), id)
redis.call('HINCRBY', KEYS[11], 'bytes', #bytes)
return 1
`);

/**
 * Makes a dead letter a waiting record. KEYS: record, dead, dead:summary, dead:time, dead:usage, waiting, ready, and the queue if
 * it has an ordering key.
 */
export const redrive = new RedisScript(`${prelude}
local record, dead, summaries, times, usage, waiting, ready = unpack(KEYS)
${deadLetters}
local id, bytes, dueAt = unpack(ARGV)
if not redis.call('ZSCORE', dead, id) then return 0 end
forget(id)
redis.call('HSET', record, id, bytes)
redis.call('SADD', waiting, id)
enqueue(ready, KEYS[8] or '', id, dueAt)
return 1
`);

/** Deletes a dead letter. KEYS: record, dead, dead:summary, dead:time, dead:usage. */
export const drop = new RedisScript(`${prelude}
local record, dead, summaries, times, usage = unpack(KEYS)
${deadLetters}
if not redis.call('ZSCORE', dead, ARGV[1]) then return 0 end
forget(ARGV[1])
return 1
`);

/**
 * KEYS: record, index, dead:summary. ARGV: largest number of records, cursor. Returns whether there may be more, then for each
 * record after the cursor its summary, or its bytes if it died in an earlier version (the other one is empty).
 */
export const page = new RedisScript(`
local record, index, summaries = unpack(KEYS)
local first = ARGV[2] and '(' .. ARGV[2] or '-'
local reply, size = {}, 0
local ids = redis.call('ZRANGEBYLEX', index, first, '+', 'LIMIT', 0, ARGV[1] + 1)
for _, id in ipairs(ids) do
  if #reply == 2 * ARGV[1] then return { 1, reply } end
  local stored = redis.call('HGET', summaries, id)
  local summary = stored and string.match(stored, '^%d+ (.*)$') or ''
  local bytes = summary == '' and redis.call('HGET', record, id) or ''
  if summary ~= '' or bytes ~= '' then
    size = size + #summary + #bytes
    if #reply > 0 and size > ${DEAD_LETTER_PAGE_BYTES} then return { 1, reply } end
    reply[#reply + 1] = summary
    reply[#reply + 1] = bytes
  end
end
return { 0, reply }
`);
