/**
 * For the scripts: the state of a channel, `epoch` and `offset`, or a new epoch where there is none, or one of an earlier generation.
 */
export const standing = `
local generations = {}
local function standing(meta, stream, generation, newEpoch)
  local known = redis.call('HMGET', meta, 'epoch', 'offset', 'generation')
  local current = generations[generation] or redis.call('GET', generation) or ''
  generations[generation] = current
  if known[1] and known[3] == current then return known[1], tonumber(known[2]) end
  redis.call('DEL', meta, stream)
  redis.call('HSET', meta, 'epoch', newEpoch, 'offset', 0, 'generation', current)
  return newEpoch, 0
end
`;
