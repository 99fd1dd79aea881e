import { LuaScript } from '../../../redis/index.js';
import { standing } from './channel-state-script.js';

/**
 * KEYS: meta, stream, generation. ARGV: new epoch, time of the meta data in ms, epoch asked for (empty: any), and the range, newest
 * first if `reverse`: `reverse` or `forward`, from, to, how many (-1: all).
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
