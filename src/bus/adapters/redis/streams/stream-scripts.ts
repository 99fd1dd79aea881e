import { RedisScript } from '../script.js';

const now = `
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
`;

/** Converts XINFO's list of names and values to a table. */
const toTable = `
local function toTable(list)
  local fields = {}
  for index = 1, #list, 2 do fields[list[index]] = list[index + 1] end
  return fields
end
`;

/**
 * Calls a command of a group. Creates the group again, from the oldest record, if it is gone: data was lost, or it
 * was destroyed.
 */
const inGroup = `
local function inGroup(stream, group, ...)
  local reply = redis.pcall(...)
  local isLost = type(reply) == 'table' and reply.err and string.find(reply.err, 'NOGROUP', 1, true)
  if not isLost then return reply end
  redis.pcall('XGROUP', 'CREATE', stream, group, '0', 'MKSTREAM')
  return redis.pcall(...)
end
`;

/** Adds records to a stream. KEYS: stream. ARGV: for each record the number of its fields and values, then these. */
export const append = new RedisScript(`
local at = 1
while at <= #ARGV do
  local count = tonumber(ARGV[at])
  redis.call('XADD', KEYS[1], '*', unpack(ARGV, at + 1, at + count))
  at = at + count + 1
end
`);

/** Creates a group unless it exists. KEYS: stream. ARGV: group, id after which it starts. */
export const createGroup = RedisScript.allowedWhenFull(`
local reply = redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[1], ARGV[2], 'MKSTREAM')
if reply.err and not string.find(reply.err, 'BUSYGROUP', 1, true) then return reply end
`);

/**
 * Takes the lease of a partition. KEYS: lease, stream. ARGV: member, group, duration in ms. Returns the fencing token
 * and the last id that was delivered to the group, or nothing if another member owns the partition.
 *
 * The number in the token grows with every owner; the name makes it unique even if the counter was lost.
 */
export const takeLease = RedisScript.allowedWhenFull(`${now}${toTable}
local held = redis.call('HMGET', KEYS[1], 'owner', 'until')
local time = now()
if held[1] and held[1] ~= ARGV[1] and tonumber(held[2]) > time then return false end
redis.pcall('XGROUP', 'CREATE', KEYS[2], ARGV[2], '0', 'MKSTREAM')
local token = redis.call('HINCRBY', KEYS[1], 'count', 1) .. ':' .. ARGV[1]
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'until', time + ARGV[3], 'token', token)
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[2])) do
  local fields = toTable(group)
  if fields['name'] == ARGV[2] then return { token, fields['last-delivered-id'] } end
end
`);

/** Returns 1 if a member has the lease, otherwise 0. KEYS: lease. */
export const isLeaseHeld = new RedisScript(`${now}
local held = redis.call('HMGET', KEYS[1], 'owner', 'until')
if held[1] and tonumber(held[2]) > now() then return 1 end
return 0
`);

/** KEYS: lease. ARGV: token, duration in ms from now. Returns 1, or 0 if the token is no longer valid. */
export const extendLease = RedisScript.allowedWhenFull(`${now}
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'until', now() + ARGV[2])
return 1
`);

/** KEYS: lease. ARGV: token. The counter of owners is kept. */
export const releaseLease = new RedisScript(`
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
return redis.call('HDEL', KEYS[1], 'owner', 'until', 'token')
`);

/**
 * Acknowledges records and reads the next ones, in one partition or several. KEYS: lease and stream of each. ARGV:
 * for each the token, group, member, number of records to read, number of ids to acknowledge, then these. Returns for
 * each the entries, or nothing if the token is no longer valid, or the error as text.
 */
export const acknowledgeAndRead = new RedisScript(`${inGroup}
local replies = {}
local at = 1
for key = 1, #KEYS, 2 do
  local stream = KEYS[key + 1]
  local token, group, member, count, ids = unpack(ARGV, at, at + 4)
  local reply = false
  if redis.call('HGET', KEYS[key], 'token') == token then
    if ids ~= '0' then redis.pcall('XACK', stream, group, unpack(ARGV, at + 5, at + 4 + ids)) end
    reply = {}
    if count ~= '0' then
      local read = inGroup(stream, group,
        'XREADGROUP', 'GROUP', group, member, 'COUNT', count, 'STREAMS', stream, '>')
      if read then reply = read.err or read[1][2] end
    end
  end
  replies[#replies + 1] = reply
  at = at + 5 + ids
end
return replies
`);

/**
 * Acknowledges pending entries that were deleted from the stream, so that they do not keep it from being trimmed. Redis
 * 7 does this in XAUTOCLAIM. Redis 6.2 returns null for each of them, without its id, and leaves it pending.
 */
const acknowledgeDeletedIn = `
local function acknowledgeDeleted(stream, group, from, to, count)
  local acknowledged = 0
  for _, pending in ipairs(redis.call('XPENDING', stream, group, from, to, count)) do
    if #redis.call('XRANGE', stream, pending[1], pending[1]) == 0 then
      acknowledged = acknowledged + redis.call('XACK', stream, group, pending[1])
    end
  end
  return acknowledged
end
`;

/** KEYS: stream. ARGV: group, first and last id, number of pending entries. Returns how many it acknowledged. */
export const acknowledgeDeleted = new RedisScript(`${acknowledgeDeletedIn}
return acknowledgeDeleted(KEYS[1], unpack(ARGV))
`);

/**
 * Claims entries that were delivered to earlier owners and not acknowledged. The lease proves that none of them is
 * still reading. KEYS: lease, stream. ARGV: token, group, member, number of entries, cursor. Returns the next cursor
 * (0-0 at the end) and the entries that still exist, or nothing if the token is no longer valid. At the end it removes other consumers
 * that have no unacknowledged entries.
 */
export const claimPending = new RedisScript(`${inGroup}${toTable}${acknowledgeDeletedIn}
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return false end
local reply = inGroup(KEYS[2], ARGV[2],
  'XAUTOCLAIM', KEYS[2], ARGV[2], ARGV[3], 0, ARGV[5], 'COUNT', ARGV[4])
if reply.err then return reply end
local entries = {}
for _, entry in ipairs(reply[2]) do
  if entry then entries[#entries + 1] = entry end
end
if #entries < #reply[2] then
  -- One XAUTOCLAIM looks at ten times as many pending entries as it claims.
  local last = reply[1] == '0-0' and '+' or reply[1]
  acknowledgeDeleted(KEYS[2], ARGV[2], ARGV[5], last, 10 * ARGV[4])
end
if reply[1] == '0-0' then
  for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[2], ARGV[2])) do
    local fields = toTable(consumer)
    if fields['pending'] == 0 and fields['name'] ~= ARGV[3] then
      redis.call('XGROUP', 'DELCONSUMER', KEYS[2], ARGV[2], fields['name'])
    end
  end
end
return { reply[1], entries }
`);

/**
 * KEYS: members. ARGV: member, lifetime of the announcement in ms. Returns the members whose announcement has not
 * expired.
 */
export const announceMember = new RedisScript(`${now}
local time = now()
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. time)
redis.call('ZADD', KEYS[1], time + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], 2 * ARGV[2])
return redis.call('ZRANGE', KEYS[1], 0, -1)
`);

/**
 * KEYS: stream. ARGV: number of entries to keep. Removes only whole nodes of the stream (`~`), only entries that
 * every group has received and acknowledged, and at most the surplus (`LIMIT`).
 */
export const trim = new RedisScript(`${toTable}
local function isBefore(one, other)
  local ms, sequence = string.match(one, '(%d+)-(%d+)')
  local otherMs, otherSequence = string.match(other, '(%d+)-(%d+)')
  if ms ~= otherMs then return tonumber(ms) < tonumber(otherMs) end
  return tonumber(sequence) < tonumber(otherSequence)
end

if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local surplus = redis.call('XLEN', KEYS[1]) - ARGV[1]
if surplus <= 0 then return 0 end
local needed
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local fields = toTable(group)
  local from = fields['last-delivered-id']
  if fields['pending'] > 0 then from = redis.call('XPENDING', KEYS[1], fields['name'])[2] end
  if not needed or isBefore(from, needed) then needed = from end
end
if not needed then return redis.call('XTRIM', KEYS[1], 'MAXLEN', '~', ARGV[1]) end
return redis.call('XTRIM', KEYS[1], 'MINID', '~', needed, 'LIMIT', surplus)
`);
