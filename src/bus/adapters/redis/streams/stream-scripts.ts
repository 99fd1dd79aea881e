import { RedisScript } from '../script.js';

const now = `
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
`;

/** Answers XINFO's list of names and values as a table. */
const described = `
local function described(list)
  local fields = {}
  for index = 1, #list, 2 do fields[list[index]] = list[index + 1] end
  return fields
end
`;

/** For a group that went away under its readers (data was lost, or somebody destroyed it): it begins again at the oldest record. */
const inGroup = `
local function inGroup(stream, group, ...)
  local answer = redis.pcall(...)
  local isLost = type(answer) == 'table' and answer.err and string.find(answer.err, 'NOGROUP', 1, true)
  if not isLost then return answer end
  redis.pcall('XGROUP', 'CREATE', stream, group, '0', 'MKSTREAM')
  return redis.pcall(...)
end
`;

/** KEYS: stream. ARGV: of each record the number of its fields and values, and these. */
export const append = new RedisScript(`
local at = 1
while at <= #ARGV do
  local count = tonumber(ARGV[at])
  redis.call('XADD', KEYS[1], '*', unpack(ARGV, at + 1, at + count))
  at = at + count + 1
end
`);

/** KEYS: stream. ARGV: group, and where it begins if it is new. */
export const createGroup = RedisScript.makingRoom(`
local answer = redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[1], ARGV[2], 'MKSTREAM')
if answer.err and not string.find(answer.err, 'BUSYGROUP', 1, true) then return answer end
`);

/**
 * KEYS: lease, stream. ARGV: member, group, duration in ms. Answers the fencing token and the id up to which the group was
 * given the stream, or nothing while another member has the partition.
 *
 * The number in the token grows with every owner; the name makes it unique even after the counter was lost.
 */
export const takeLease = RedisScript.makingRoom(`${now}${described}
local held = redis.call('HMGET', KEYS[1], 'owner', 'until')
local time = now()
if held[1] and held[1] ~= ARGV[1] and tonumber(held[2]) > time then return false end
redis.pcall('XGROUP', 'CREATE', KEYS[2], ARGV[2], '0', 'MKSTREAM')
local token = redis.call('HINCRBY', KEYS[1], 'count', 1) .. ':' .. ARGV[1]
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'until', time + ARGV[3], 'token', token)
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[2])) do
  local fields = described(group)
  if fields['name'] == ARGV[2] then return { token, fields['last-delivered-id'] } end
end
`);

/** KEYS: lease. ARGV: token, duration in ms. */
export const keepLease = RedisScript.makingRoom(`${now}
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'until', now() + ARGV[2])
return 1
`);

/** KEYS: lease. ARGV: token. The counter stays. */
export const releaseLease = new RedisScript(`
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
return redis.call('HDEL', KEYS[1], 'owner', 'until', 'token')
`);

/**
 * Acknowledges and reads on in one partition or several, where the caller is still the owner. KEYS: lease and stream of each.
 * ARGV: for each the token, group, member, how many to read, how many ids to acknowledge, and these. Answers for each
 * the entries, nothing to a former owner, or in words what is wrong.
 */
export const readOn = new RedisScript(`${inGroup}
local answers = {}
local at = 1
for key = 1, #KEYS, 2 do
  local stream = KEYS[key + 1]
  local token, group, member, count, ids = unpack(ARGV, at, at + 4)
  local answer = false
  if redis.call('HGET', KEYS[key], 'token') == token then
    if ids ~= '0' then redis.pcall('XACK', stream, group, unpack(ARGV, at + 5, at + 4 + ids)) end
    answer = {}
    if count ~= '0' then
      local read = inGroup(stream, group,
        'XREADGROUP', 'GROUP', group, member, 'COUNT', count, 'STREAMS', stream, '>')
      if read then answer = read.err or read[1][2] end
    end
  end
  answers[#answers + 1] = answer
  at = at + 5 + ids
end
return answers
`);

/**
 * Claims what members before were given and did not acknowledge; the lease proves that none of them is at work. KEYS: lease,
 * stream. ARGV: token, group, member, how many, where to begin. Answers where to go on (0-0 at the end) and the entries,
 * or nothing to a former owner. At the end, consumers that have nothing left are removed.
 */
export const claimInherited = new RedisScript(`${inGroup}${described}
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return false end
local answer = inGroup(KEYS[2], ARGV[2],
  'XAUTOCLAIM', KEYS[2], ARGV[2], ARGV[3], 0, ARGV[5], 'COUNT', ARGV[4])
if answer.err then return answer end
if answer[1] == '0-0' then
  for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[2], ARGV[2])) do
    local fields = described(consumer)
    if fields['pending'] == 0 and fields['name'] ~= ARGV[3] then
      redis.call('XGROUP', 'DELCONSUMER', KEYS[2], ARGV[2], fields['name'])
    end
  end
end
return { answer[1], answer[2] }
`);

/** KEYS: members. ARGV: member, for how long it counts in ms. Answers the members that are there. */
export const announceMember = new RedisScript(`${now}
local time = now()
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. time)
redis.call('ZADD', KEYS[1], time + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], 2 * ARGV[2])
return redis.call('ZRANGE', KEYS[1], 0, -1)
`);

/**
 * KEYS: stream. ARGV: how many entries to keep. Removes whole nodes of the stream only (\`~\`), none that has an entry that a
 * group was not given or did not acknowledge, and no more than are too many (\`LIMIT\`).
 */
export const trim = new RedisScript(`${described}
local function isBefore(one, other)
  local ms, sequence = string.match(one, '(%d+)-(%d+)')
  local otherMs, otherSequence = string.match(other, '(%d+)-(%d+)')
  if ms ~= otherMs then return tonumber(ms) < tonumber(otherMs) end
  return tonumber(sequence) < tonumber(otherSequence)
end

if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local excess = redis.call('XLEN', KEYS[1]) - ARGV[1]
if excess <= 0 then return 0 end
local needed
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local fields = described(group)
  local from = fields['last-delivered-id']
  if fields['pending'] > 0 then from = redis.call('XPENDING', KEYS[1], fields['name'])[2] end
  if not needed or isBefore(from, needed) then needed = from end
end
if not needed then return redis.call('XTRIM', KEYS[1], 'MAXLEN', '~', ARGV[1]) end
return redis.call('XTRIM', KEYS[1], 'MINID', '~', needed, 'LIMIT', excess)
`);
