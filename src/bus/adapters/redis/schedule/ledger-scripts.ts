import { RedisScript } from '../script.js';
import { PAGE_BUDGET, quota, removeStale, uncount } from './usage-scripts.js';

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
 * KEYS[3] and KEYS[4] are the costs and the usage, see `usage-scripts.ts`: a message has a cost until it is gone or given up.
 *
 * KEYS[2] is the index of pending messages. ARGV[1] is the id, ARGV[2] the prefix of the indexes by channel. An index
 * is a sorted set in which all scores are 0. A member consists of the due time in 16 digits, a full stop and the id,
 * so that Redis orders members by time, then id. All keys share one hash tag.
 */

const prelude = `${uncount}
  local entry, index, costs, usage, id, channels = KEYS[1], KEYS[2], KEYS[3], KEYS[4], ARGV[1], ARGV[2]
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
    uncount(costs, usage, id)
    redis.call('HDEL', entry, 'channel', 'due', 'bytes')
    redis.call('HSET', entry, 'state', state)
    forgetAfter(rememberMs)
  end
`;

const script = (body: string): RedisScript => new RedisScript(prelude + body);

/**
 * ARGV: due time, channel, bytes, rememberMs, then what `count` takes. Returns 1 if a copy must be sent, otherwise 0, or the limit
 * that is reached.
 */
export const record = script(`${quota}${removeStale}
  local state = get('state')
  if state and state ~= 'abandoned' then
    if state ~= 'pending' or get('held') then return 0 end
    redis.call('HINCRBY', entry, 'senders', 1)
    return 1
  end
  -- An entry that expired has left its cost.
  uncount(costs, usage, id)
  local reached = count(costs, usage, id, #ARGV[5], 7)
  if reached then
    local entries = string.sub(entry, 1, #entry - #id)
    removeStale(costs, usage, function(each) return redis.call('HEXISTS', entries .. each, 'bytes') end)
    return reached
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
  uncount(costs, usage, id)
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
 * KEYS: index, costs, usage. ARGV: the member to begin after (or an empty string), number of members, prefix of the entries.
 * Returns whether there may be more, then members, each followed by its channel, its summary (empty: none is stored) and, if there
 * is no summary, its bytes. The entry of a member expires if no copy of the message was ever confirmed; such a member is removed.
 */
export const list = new RedisScript(`${uncount}
  local from, found, limit, bytes = ARGV[1], {}, tonumber(ARGV[2]), 0
  while true do
    local members = redis.call('ZRANGEBYLEX', KEYS[1], from == '' and '-' or '(' .. from, '+', 'LIMIT', 0, limit)
    for _, member in ipairs(members) do
      if #found == 4 * limit then return { 1, found } end
      from = member
      local id = string.sub(member, 18)
      local entry = ARGV[3] .. id
      local channel = redis.call('HGET', entry, 'channel')
      if not channel then
        redis.call('ZREM', KEYS[1], member)
        uncount(KEYS[2], KEYS[3], id)
      else
        local cost = redis.call('HGET', KEYS[2], id)
        local summary = cost and string.match(cost, '^%d+ %S+ (.*)$') or ''
        local value = summary == '' and redis.call('HGET', entry, 'bytes') or ''
        bytes = bytes + #channel + #summary + #value
        if #found > 0 and bytes > ${PAGE_BUDGET} then return { 1, found } end
        for _, part in ipairs({ member, channel, summary, value }) do found[#found + 1] = part end
      end
    end
    if #members < limit then return { 0, found } end
  end
`);
