import { LuaScript } from '../../../redis/index.js';
import { loadState } from './channel-state-script.js';

/**
 * Reads the history of a channel.
 *
 * KEYS: metadata, stream, generation. ARGV: new epoch, lifetime of the metadata in ms, expected epoch (empty: any), and
 * the range: `forward` or `reverse` (newest first), from, to, maximum number of entries (-1: all), maximum size of the entries. The
 * entries are read in steps, so that no more of them are read than are returned, apart from one step.
 *
 * Returns the epoch, the offset and the entries. There are no entries if the epoch is not the expected one.
 */
export const read = new LuaScript(`${loadState}
local meta, stream, generation = unpack(KEYS)
local epoch, offset = loadState(meta, stream, generation, ARGV[1])
redis.call('PEXPIRE', meta, ARGV[2])
local entries = {}
local count = tonumber(ARGV[7])
if count ~= 0 and (ARGV[3] == '' or ARGV[3] == epoch) then
  local from, to = ARGV[5], ARGV[6]
  local isAhead = ARGV[4] == 'reverse' and from ~= '+' and tonumber(from) > offset
  local command = ARGV[4] == 'reverse' and 'XREVRANGE' or 'XRANGE'
  local bytes, isFull = 0, isAhead
  while not isFull and (count < 0 or #entries < count) do
    local step = count < 0 and 16 or math.min(16, count - #entries)
    local found = redis.call(command, stream, from, to, 'COUNT', step)
    for _, entry in ipairs(found) do
      bytes = bytes + #entry[2][2]
      if #entries > 0 and bytes > tonumber(ARGV[8]) then
        isFull = true
        break
      end
      entries[#entries + 1] = entry
    end
    if #found < step then break end
    local last = tonumber(string.match(found[#found][1], '^%d+'))
    from = string.format('%d', last + (ARGV[4] == 'reverse' and -1 or 1))
    if from == '0' then break end
  end
end
return { epoch, string.format('%d', offset), entries }
`);
