import { LuaScript } from '../../../redis/index.js';

/**
 * KEYS[1]: the tag of all keys, so that they are on one node of a Cluster.
 *
 * - `nodes`: the end of each node's lease, in ms; -1 while others take over its connections
 * - `connections`: by id, the node that the entry is under and the rest of the connection
 * - `of:NODE`: the ids under a node; `cleaning:NODE`: those of them that the node has claimed
 * - `open`, `open:ROUTE`: the other ids, in their order
 */
const prelude = `
local tag = KEYS[1]
local nodes, connections = tag .. ':nodes', tag .. ':connections'
local function of(node) return tag .. ':of:' .. node end
local function cleaning(node) return tag .. ':cleaning:' .. node end
local function open(route) return tag .. ':open' .. (route == nil and '' or ':' .. route) end

local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function hasLease(node)
  local ends = redis.call('ZSCORE', nodes, node)
  return ends and tonumber(ends) >= 0
end

local function read(id)
  local entry = redis.call('HGET', connections, id)
  if entry then return cmsgpack.unpack(entry) end
end

local function give(id, entry, node)
  redis.call('SREM', of(entry.owner), id)
  redis.call('SREM', cleaning(entry.owner), id)
  redis.call('SADD', of(node), id)
  redis.call('SADD', cleaning(node), id)
  redis.call('ZREM', open(), id)
  redis.call('ZREM', open(entry.route), id)
  entry.owner, entry.claimed = node, true
  redis.call('HSET', connections, id, cmsgpack.pack(entry))
end

local function reply(id, entry)
  return { id, entry.route, entry.node, entry.at, entry.details }
end
`;

/** ARGV: node, lease in ms. Returns 1 if the node had a lease. */
export const renew = new LuaScript(`${prelude}
local had = hasLease(ARGV[1])
redis.call('ZADD', nodes, now() + ARGV[2], ARGV[1])
return had and 1 or 0
`);

/** ARGV: id, route, node, connected at, details. Returns -1 without a lease. */
export const add = new LuaScript(`${prelude}
local id, route, node, at, details = unpack(ARGV)
if not hasLease(node) then return -1 end
local entry = { owner = node, route = route, node = node, at = at, details = details }
redis.call('HSET', connections, id, cmsgpack.pack(entry))
redis.call('SADD', of(node), id)
redis.call('ZADD', open(), 0, id)
redis.call('ZADD', open(route), 0, id)
return 1
`);

/** ARGV: id, node. Returns 1 for the one node that has to clean up, and -1 without a lease. */
export const claim = new LuaScript(`${prelude}
local id, node = unpack(ARGV)
if not hasLease(node) then return -1 end
local entry = read(id)
if not entry then return 0 end
if not entry.claimed then give(id, entry, node) end
return entry.owner == node and 1 or 0
`);

/** ARGV: id. */
export const remove = new LuaScript(`${prelude}
local id = ARGV[1]
local entry = read(id)
if not entry then return end
redis.call('SREM', of(entry.owner), id)
redis.call('SREM', cleaning(entry.owner), id)
redis.call('ZREM', open(), id)
redis.call('ZREM', open(entry.route), id)
redis.call('HDEL', connections, id)
`);

/** ARGV: node, limit. Returns the connections, or -1 without a lease. */
export const claimOrphans = new LuaScript(`${prelude}
local node, limit = ARGV[1], tonumber(ARGV[2])
if not hasLease(node) then return -1 end
local orphans = {}
for _, dead in ipairs(redis.call('ZRANGEBYSCORE', nodes, '-inf', now())) do
  if dead ~= node then
    local ids = redis.call('SRANDMEMBER', of(dead), limit - #orphans)
    for _, id in ipairs(ids) do
      local entry = read(id)
      give(id, entry, node)
      orphans[#orphans + 1] = reply(id, entry)
    end
    if redis.call('SCARD', of(dead)) == 0 then redis.call('ZREM', nodes, dead)
    else redis.call('ZADD', nodes, -1, dead) end
    if #orphans >= limit then break end
  end
end
return orphans
`);

/** ARGV: node, limit. Returns the connections, or -1 without a lease. */
export const unfinished = new LuaScript(`${prelude}
local node, limit = unpack(ARGV)
if not hasLease(node) then return -1 end
local found = {}
for _, id in ipairs(redis.call('SRANDMEMBER', cleaning(node), limit)) do
  found[#found + 1] = reply(id, read(id))
end
return found
`);

/** ARGV: node. */
export const release = new LuaScript(`${prelude}
if hasLease(ARGV[1]) then redis.call('ZADD', nodes, 0, ARGV[1]) end
`);

/** ARGV: id. Returns the connection, or nil. */
export const find = new LuaScript(`${prelude}
local id = ARGV[1]
local entry = read(id)
if not entry or entry.claimed then return nil end
return reply(id, entry)
`);

/** ARGV: limit, the id after which to start, route if only its connections are wanted. Returns the connections. */
export const list = new LuaScript(`${prelude}
local limit, after, route = unpack(ARGV)
local from = after == '' and '-' or '(' .. after
local found = {}
for _, id in ipairs(redis.call('ZRANGEBYLEX', open(route), from, '+', 'LIMIT', 0, limit)) do
  found[#found + 1] = reply(id, read(id))
end
return found
`);

/** ARGV: route if only its connections are wanted. */
export const count = new LuaScript(`${prelude}
return redis.call('ZCARD', open(ARGV[1]))
`);
