import { LuaScript } from '../../redis/index.js';

/** The state of a channel: `epoch` and `offset`, or a new epoch where there is none, or one of an earlier generation. */
const standing = `
local function standing(meta, stream, generation, newEpoch)
  local known = redis.call('HMGET', meta, 'epoch', 'offset', 'generation')
  local current = redis.call('GET', generation) or ''
  if known[1] and known[3] == current then return known[1], tonumber(known[2]) end
  redis.call('DEL', meta, stream)
  redis.call('HSET', meta, 'epoch', newEpoch, 'offset', 0, 'generation', current)
  return newEpoch, 0
end
`;

/**
 * KEYS: meta, stream, generation, recent, answer to the idempotency key.
 *
 * ARGV: Redis channel, PUBLISH or SPUBLISH, envelope, new epoch, size of the history (0: none), its time in ms, the time of its meta
 * data in ms, version (0: none), its epoch, 1 for delta, time of the idempotency key in ms (0: none), entries in the stream of
 * recent publications (0: it is not to be among them).
 *
 * Answers \`offset:epoch\`, which is empty without a history, and the id among the recent ones, if it is sent.
 */
export const publish = new LuaScript(`${standing}
local meta, stream, generation, recent, answered = unpack(KEYS)
local envelope, size = ARGV[3], tonumber(ARGV[5])
local rememberMs, mostRecent = tonumber(ARGV[11]), tonumber(ARGV[12])
if rememberMs > 0 then
  local answer = redis.call('GET', answered)
  if answer then return { answer } end
end

local place, previous, answer = '', '', ''
if size > 0 then
  local epoch, offset = standing(meta, stream, generation, ARGV[4])
  local version = tonumber(ARGV[8])
  if version > 0 then
    local last = redis.call('HMGET', meta, 'version', 'versionEpoch')
    local isComparable = ARGV[9] == '' or ARGV[9] == last[2]
    if last[1] and isComparable and version <= tonumber(last[1]) then
      redis.call('PEXPIRE', meta, ARGV[7])
      return { string.format('%d:%s', offset, epoch) }
    end
    redis.call('HSET', meta, 'version', ARGV[8], 'versionEpoch', ARGV[9])
  end
  if ARGV[10] == '1' then
    local last = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
    if last then previous = string.sub(last[2][2], struct.unpack('>I4', last[2][2], 3) + 1) end
  end
  offset = offset + 1
  local number = string.format('%d', offset)
  redis.call('HSET', meta, 'offset', number)
  redis.call('PEXPIRE', meta, ARGV[7])
  redis.call('XADD', stream, 'MAXLEN', size, number .. '-0', 'e', envelope)
  redis.call('PEXPIRE', stream, ARGV[6])
  place = struct.pack('>BI6', 128, offset) .. epoch
  answer = number .. ':' .. epoch
end

local recentId
if mostRecent > 0 then
  local whole = size > 0 and place .. struct.pack('>I4', 0) .. envelope or envelope
  recentId = redis.call('XADD', recent, 'MAXLEN', '~', mostRecent, '*', 'e', whole)
end
if rememberMs > 0 then redis.call('SET', answered, answer, 'PX', rememberMs) end
if size > 0 then envelope = place .. struct.pack('>I4', #previous) .. previous .. envelope end
redis.call(ARGV[2], ARGV[1], envelope)
return { answer, recentId }
`);

/**
 * KEYS: meta, stream, generation. ARGV: new epoch, time of the meta data in ms, epoch asked for (empty: any), and the range, newest
 * first if \`reverse\`: \`reverse\` or \`forward\`, from, to, how many (-1: all).
 *
 * Answers epoch, offset, and the entries; none of them for another epoch.
 */
export const read = new LuaScript(`${standing}
local meta, stream, generation = unpack(KEYS)
local epoch, offset = standing(meta, stream, generation, ARGV[1])
redis.call('PEXPIRE', meta, ARGV[2])
local entries = {}
local count = tonumber(ARGV[7])
if count ~= 0 and (ARGV[3] == '' or ARGV[3] == epoch) then
  local from, to = ARGV[5], ARGV[6]
  local isAhead = ARGV[4] == 'reverse' and from ~= '+' and tonumber(from) > offset
  local command = ARGV[4] == 'reverse' and 'XREVRANGE' or 'XRANGE'
  if isAhead then entries = {}
  elseif count < 0 then entries = redis.call(command, stream, from, to)
  else entries = redis.call(command, stream, from, to, 'COUNT', count) end
end
return { epoch, string.format('%d', offset), entries }
`);
