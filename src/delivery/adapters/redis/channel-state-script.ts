/**
 * A Lua function for scripts. Returns the epoch and the offset of a channel. Starts a new epoch if the channel has
 * none, or if its epoch is of an earlier generation.
 */
export const loadState = `
local generations = {}
local function loadState(meta, stream, generation, newEpoch)
  local known = redis.call('HMGET', meta, 'epoch', 'offset', 'generation')
  local current = generations[generation] or redis.call('GET', generation) or ''
  generations[generation] = current
  if known[1] and known[3] == current then return known[1], tonumber(known[2]) end
  redis.call('DEL', meta, stream)
  redis.call('HSET', meta, 'epoch', newEpoch, 'offset', 0, 'generation', current)
  return newEpoch, 0
end
`;
