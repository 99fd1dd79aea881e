import { LuaScript } from '../../../redis/index.js';
import { loadState } from './channel-state-script.js';

/**
 * Reads the history of a channel.
 *
 * KEYS: metadata, stream, generation. ARGV: new epoch, lifetime of the metadata in ms, expected epoch (empty: any), and
 * the range: `forward` or `reverse` (newest first), from, to, maximum number of entries (-1: all).
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
  if isAhead then entries = {}
  elseif count < 0 then entries = redis.call(command, stream, from, to)
  else entries = redis.call(command, stream, from, to, 'COUNT', count) end
end
return { epoch, string.format('%d', offset), entries }
`);
