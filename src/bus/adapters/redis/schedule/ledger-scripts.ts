import { RedisScript } from '../script.js';

/*
 * The methods of the ledger as Lua. Redis runs one script at a time and by its own clock, which makes each of them
 * atomic.
 *
 * KEYS[1] is the entry of the id, a hash:
 *
 *   state                 pending, claimed, gone or abandoned
 *   channel, due, bytes   the message
 *   lastCopy              latest time for which a copy may exist
 *   held                  set once a copy is known to exist
 *   senders               number of calls that are sending the first copy at the moment
 *   lease, leasedUntil    number of the latest claim, and the time at which it expires
 *   claimant              token of the latest claim
 *
 * KEYS[2] is the index of pending messages. ARGV[1] is the id, ARGV[2] the prefix of the indexes by channel. An index
 * is a sorted set in which all scores are 0. A member consists of the due time in 16 digits, a full stop and the id,
 * so that Redis orders members by time, then id. All keys share one hash tag.
 */

const prelude = `
  local entry, index, id, channels = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local function get(field) return redis.call('HGET', entry, field) end
  local function number(field) return tonumber(get(field) or 0) end
  local function member() return string.format('%016d.%s', number('due'), id) end
  local function addToIndexes()
    redis.call('ZADD', index, 0, member())
    redis.call('ZADD', channels .. get('channel'), 0, member())
  end
  local function removeFromIndexes()
    if get('state') ~= 'pending' then return end
    redis.call('ZREM', index, member())
    redis.call('ZREM', channels .. get('channel'), member())
  end
  -- Removing the field first makes Redis accept the write at its memory limit: a message that is handed over frees memory.
  local function leaseUntil(time)
    redis.call('HDEL', entry, 'leasedUntil')
    redis.call('HSET', entry, 'leasedUntil', string.format('%.0f', time))
  end
  local function forgetAfter(rememberMs)
    local last = math.max(number('lastCopy'), now)
    redis.call('PEXPIREAT', entry, string.format('%.0f', last + rememberMs))
  end
  local function markGone(state, rememberMs)
    removeFromIndexes()
    redis.call('HDEL', entry, 'channel', 'due', 'bytes')
    redis.call('HSET', entry, 'state', state)
    forgetAfter(rememberMs)
  end
`;

const script = (body: string): RedisScript => new RedisScript(prelude + body);

/** ARGV: due time, channel, bytes, rememberMs. Returns 1 if a copy must be sent. */
export const record = script(`
  local state = get('state')
  if state and state ~= 'abandoned' then
    if state ~= 'pending' or get('held') then return 0 end
    redis.call('HINCRBY', entry, 'senders', 1)
    return 1
  end
  redis.call('DEL', entry)
  redis.call('HSET', entry, 'state', 'pending', 'due', ARGV[3], 'lastCopy', ARGV[3], 'channel', ARGV[4],
    'bytes', ARGV[5], 'senders', 1)
  addToIndexes()
  forgetAfter(ARGV[6])
  return 1
`);

/** Notes that a copy exists. */
export const confirm = script(`
  if get('state') ~= 'pending' then return end
  redis.call('HSET', entry, 'held', 1)
  redis.call('HINCRBY', entry, 'senders', -1)
  redis.call('PERSIST', entry)
`);

/** ARGV: rememberMs. Forgets the message if no other call is sending it and no copy exists. */
export const abandon = script(`
  if get('state') ~= 'pending' then return end
  if redis.call('HINCRBY', entry, 'senders', -1) <= 0 and not get('held') then markGone('abandoned', ARGV[3]) end
`);

/**
 * ARGV: leaseMs, rememberMs, token of the claim. Returns the outcome and its numbers: for `claimed` the lease and the due time, for
 * `early` the due time and the time until then, for `leased` the time until the lease expires. A repeated claim keeps
 * its number, so that an earlier attempt which Redis executes late changes nothing.
 */
export const claim = script(`
  local state = get('state')
  if state == 'gone' or state == 'abandoned' then return { 'gone' } end
  local due = get('due')
  if state == 'pending' and tonumber(due) > now then return { 'early', tonumber(due), tonumber(due) - now } end
  local wait = number('leasedUntil') - now
  local isRepeated = state == 'claimed' and wait > 0 and get('claimant') == ARGV[5]
  if state == 'claimed' and wait > 0 and not isRepeated then return { 'leased', wait } end
  removeFromIndexes()
  local untilMs = now + ARGV[3]
  leaseUntil(untilMs)
  redis.call('HSET', entry, 'state', 'claimed', 'claimant', ARGV[5])
  if due then redis.call('PERSIST', entry)
  else redis.call('PEXPIREAT', entry, string.format('%.0f', untilMs + ARGV[4])) end
  return { 'claimed', redis.call('HINCRBY', entry, 'lease', isRepeated and 0 or 1), due and tonumber(due) }
`);

/** ARGV: lease, its duration in ms from now. */
export const renew = script(`
  if get('state') ~= 'claimed' or get('lease') ~= ARGV[3] then return end
  leaseUntil(now + ARGV[4])
`);

/** ARGV: lease, rememberMs. */
export const giveUp = script(`
  if get('state') ~= 'claimed' or get('lease') ~= ARGV[3] then return end
  leaseUntil(0)
  redis.call('PEXPIRE', entry, ARGV[4])
`);

/** ARGV: rememberMs. */
export const settle = script(`
  markGone('gone', ARGV[3])
`);

/** ARGV: rememberMs. Returns 1 if the message was pending. */
export const cancel = script(`
  if get('state') ~= 'pending' then return 0 end
  markGone('gone', ARGV[3])
  return 1
`);

/** ARGV: due time, the expected former due time or an empty string, rememberMs. Returns the former due time. */
export const move = script(`
  if get('state') ~= 'pending' then return end
  local due = number('due')
  if ARGV[4] ~= '' and tonumber(ARGV[4]) ~= due then return end
  removeFromIndexes()
  redis.call('HSET', entry, 'due', ARGV[3], 'lastCopy',
    string.format('%.0f', math.max(number('lastCopy'), tonumber(ARGV[3]))))
  addToIndexes()
  if not get('held') then forgetAfter(ARGV[5]) end
  return due
`);

export const find = script(`
  if get('state') ~= 'pending' then return end
  return redis.call('HMGET', entry, 'channel', 'due', 'bytes')
`);

/**
 * KEYS: index. ARGV: the member to begin after (or an empty string), number of members, prefix of the entries.
 * Returns members, each followed by its channel and bytes. The entry of a member expires if no copy of the message
 * was ever confirmed; such a member is removed here.
 */
export const list = new RedisScript(`
  local from, found, limit = ARGV[1], {}, tonumber(ARGV[2])
  while #found < 3 * limit do
    local members = redis.call('ZRANGEBYLEX', KEYS[1], from == '' and '-' or '(' .. from, '+', 'LIMIT', 0, limit)
    for _, member in ipairs(members) do
      from = member
      local values = redis.call('HMGET', ARGV[3] .. string.sub(member, 18), 'channel', 'bytes')
      if not values[2] then redis.call('ZREM', KEYS[1], member)
      elseif #found < 3 * limit then
        for _, value in ipairs({ member, values[1], values[2] }) do found[#found + 1] = value end
      end
    end
    if #members < limit then break end
  end
  return found
`);
