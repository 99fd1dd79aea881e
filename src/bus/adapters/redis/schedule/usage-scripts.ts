/*
 * Counts what the messages of a store in Redis hold, in the scripts that add and remove them. The counts are in a hash:
 *
 *   messages, bytes       of all
 *   anonymous, anonymousBytes   of callers without an API key together
 *   m:OWNER, b:OWNER      messages and bytes of one such caller
 *
 * A second hash has the cost of each message, '<size> <owner> <summary>', where the owner is '-' for a caller with a key. Only a
 * message with a cost is counted, and the cost is removed together with the count.
 *
 * The counts correct themselves, because messages may expire, be evicted or be deleted by hand, or by a process of an earlier
 * version: if no cost is left, they start at zero again, and every refusal removes some costs of messages that are gone.
 */

/** A page of a list ends when it has so many bytes. */
export const PAGE_BUDGET = 1024 * 1024;

/**
 * Adds `count(costs, usage, id, size, at)`, where ARGV from `at` on are: the owner, the summary, and the largest numbers of
 * messages and bytes: of all, of callers without a key, and of one of them. Returns the limit that is reached, or nil.
 */
export const quota = `
local function count(costs, usage, id, size, at)
  local owner, summary = ARGV[at], ARGV[at + 1]
  if redis.call('EXISTS', costs) == 0 then redis.call('DEL', usage) end
  local function exceeds(messages, bytes, limitAt)
    local used = redis.call('HMGET', usage, messages, bytes)
    return (tonumber(used[1]) or 0) + 1 > tonumber(ARGV[limitAt]) or (tonumber(used[2]) or 0) + size > tonumber(ARGV[limitAt + 1])
  end
  if exceeds('messages', 'bytes', at + 2) then return 'full' end
  local fields = { 'messages', 'bytes' }
  if owner ~= '-' then
    if exceeds('m:' .. owner, 'b:' .. owner, at + 6) then return 'quota' end
    if exceeds('anonymous', 'anonymousBytes', at + 4) then return 'anonymous_full' end
    fields = { 'messages', 'bytes', 'anonymous', 'anonymousBytes', 'm:' .. owner, 'b:' .. owner }
  end
  redis.call('HSET', costs, id, size .. ' ' .. owner .. ' ' .. summary)
  for i = 1, #fields, 2 do
    redis.call('HINCRBY', usage, fields[i], 1)
    redis.call('HINCRBY', usage, fields[i + 1], size)
  end
end
`;

/**
 * Adds `removeStale(costs, usage, isStored)`, which looks at some of the costs, each time at others. `isStored` returns 1 for the id
 * of a message that is stored.
 */
export const removeStale = `
local function removeStale(costs, usage, isStored)
  local found = redis.call('HSCAN', costs, redis.call('HGET', usage, 'cursor') or '0', 'COUNT', 100)
  for i = 1, #found[2], 2 do
    if isStored(found[2][i]) == 0 then uncount(costs, usage, found[2][i]) end
  end
  redis.call('HSET', usage, 'cursor', found[1])
end
`;

/** Adds `uncount(costs, usage, id)`. */
export const uncount = `
local function uncount(costs, usage, id)
  local cost = redis.call('HGET', costs, id)
  if not cost then return end
  redis.call('HDEL', costs, id)
  if redis.call('EXISTS', costs) == 0 then return redis.call('DEL', usage) end
  local size, owner = string.match(cost, '^(%d+) (%S+)')
  local fields = { 'messages', 'bytes' }
  if owner ~= '-' then
    fields = { 'messages', 'bytes', 'anonymous', 'anonymousBytes', 'm:' .. owner, 'b:' .. owner }
  end
  for i = 1, #fields, 2 do
    if redis.call('HINCRBY', usage, fields[i], -1) <= 0 then redis.call('HDEL', usage, fields[i], fields[i + 1])
    else redis.call('HINCRBY', usage, fields[i + 1], '-' .. size) end
  end
end
`;
