import { LuaScript } from '../../../redis/index.js';

/**
 * KEYS of all scripts: entries by client, deadlines by client, number of clients by user. An entry begins with its
 * user, in the form of `client-info-bytes.ts`.
 */
const prelude = `
local entries, deadlines, users = unpack(KEYS)

local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function userOf(entry)
  return string.sub(entry, 3, 2 + struct.unpack('>I2', entry))
end

local function drop(client)
  redis.call('ZREM', deadlines, client)
  local entry = redis.call('HGET', entries, client)
  if not entry then return end
  redis.call('HDEL', entries, client)
  local user = userOf(entry)
  if redis.call('HINCRBY', users, user, -1) <= 0 then redis.call('HDEL', users, user) end
end

local time = now()
for _, client in ipairs(redis.call('ZRANGEBYSCORE', deadlines, '-inf', time)) do drop(client) end
`;

/** ARGV: client, entry, lifetime in ms. */
export const add = new LuaScript(`${prelude}
local client, entry, ttl = ARGV[1], ARGV[2], tonumber(ARGV[3])
if redis.call('HGET', entries, client) ~= entry then
  drop(client)
  redis.call('HSET', entries, client, entry)
  redis.call('HINCRBY', users, userOf(entry), 1)
end
redis.call('ZADD', deadlines, time + ttl, client)
for _, key in ipairs(KEYS) do
  if redis.call('PTTL', key) < ttl then redis.call('PEXPIRE', key, ttl) end
end
`);

/** ARGV: client. */
export const remove = new LuaScript(`${prelude}
drop(ARGV[1])
`);

/**
 * Returns the entries. ARGV: their largest size together. Returns nothing if they are larger, counted like `bytesOfInfo`: an entry
 * has about the bytes of its fields.
 */
export const members = new LuaScript(`${prelude}
local maxBytes = tonumber(ARGV[1])
local bytes = 60 * redis.call('HLEN', entries)
if bytes > maxBytes then return false end
local found = redis.call('HVALS', entries)
for _, entry in ipairs(found) do bytes = bytes + #entry end
if bytes > maxBytes then return false end
return found
`);

/** Returns the number of clients and the number of users. */
export const stats = new LuaScript(`${prelude}
return { redis.call('HLEN', entries), redis.call('HLEN', users) }
`);
