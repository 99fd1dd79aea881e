import type { Redis } from 'ioredis';
import { LuaScript } from '../../../redis/index.js';
import { newEpoch } from '../../history/epoch.js';
import { loadState } from './channel-state-script.js';
import { generationKey, historyKey, metaKey } from './keys.js';
import type { PublishResult, PublishSettings, StoredPublication } from './redis-publication.js';

/**
 * Stores and sends publications in order, each in one step. Those of one channel share a message.
 *
 * ARGV: PUBLISH or SPUBLISH, maximum number of entries in a replay stream, new epoch. Then for each publication: its
 * Redis channel, its envelope, whether to add it to the replay stream (1 or 0), the size of the history (0: none), the
 * lifetime of the history in ms, the lifetime of the metadata in ms, the version (0: none), the epoch of the version,
 * whether subscribers may ask for differences (1 or 0), the lifetime of the result in ms (0: not stored), and its
 * position before a loss of data, or an empty text.
 *
 * KEYS, for each publication: replay stream, metadata, stream, generation, and the key of the result if it is stored.
 *
 * Returns a line for each publication: the id in the replay stream, a space, and `offset:epoch`, each empty if there is
 * none. For a publication that failed, `!` and the reason; it does not affect the others.
 */
const script = new LuaScript(`${loadState}
local keys, args, call = KEYS, ARGV, redis.call
local command, maxReplayed, newEpoch = args[1], args[2], args[3]

local channels, messages = {}, {}
local function send(channel, message)
  local pending = messages[channel]
  if pending then pending[#pending + 1] = message
  else
    messages[channel] = { message }
    channels[#channels + 1] = channel
  end
end

local function joined(list)
  for index, message in ipairs(list) do list[index] = struct.pack('>I4', #message) .. message end
  return string.char(129) .. table.concat(list)
end

local function store(item)
  local result = item.result and call('GET', item.result)
  if result and item.lostPosition == '' then return '', result end
  local epoch, offset
  if item.size > 0 then epoch, offset = loadState(item.meta, item.stream, item.generation, newEpoch) end
  if item.lostPosition ~= '' then
    local known = result or item.lostPosition
    if string.match(known, ':(.*)') == epoch then return '', known end
  end

  local position, message, replayId = '', item.envelope, ''
  result = ''
  if epoch then
    local version = tonumber(item.version)
    if version > 0 then
      local last = call('HMGET', item.meta, 'version', 'versionEpoch')
      local isComparable = item.versionEpoch == '' or item.versionEpoch == last[2]
      if last[1] and isComparable and version <= tonumber(last[1]) then
        call('PEXPIRE', item.meta, item.metaMs)
        return '', string.format('%d:%s', offset, epoch)
      end
      call('HSET', item.meta, 'version', item.version, 'versionEpoch', item.versionEpoch)
    end
    local previous = ''
    if item.isDelta then
      local last = call('XREVRANGE', item.stream, '+', '-', 'COUNT', 1)[1]
      if last then previous = string.sub(last[2][2], struct.unpack('>I4', last[2][2], 3) + 1) end
    end
    local number = string.format('%d', offset + 1)
    call('HSET', item.meta, 'offset', number)
    call('PEXPIRE', item.meta, item.metaMs)
    call('XADD', item.stream, 'MAXLEN', item.size, number .. '-0', 'e', item.envelope)
    call('PEXPIRE', item.stream, item.ttlMs)
    position = struct.pack('>BI6', 128, offset + 1) .. epoch
    message = position .. struct.pack('>I4', #previous) .. previous .. item.envelope
    result = number .. ':' .. epoch
  end
  if item.result then call('SET', item.result, result, 'PX', item.resultMs) end
  if item.isReplayed then
    local whole = position == '' and item.envelope or position .. struct.pack('>I4', 0) .. item.envelope
    replayId = call('XADD', item.replay, 'MAXLEN', '~', maxReplayed, '*', 'e', whole)
  end
  send(item.channel, message)
  return replayId, result
end

local results, k, a = {}, 0, 3
while a < #args do
  local item = {
    replay = keys[k + 1], meta = keys[k + 2], stream = keys[k + 3], generation = keys[k + 4],
    channel = args[a + 1], envelope = args[a + 2], isReplayed = args[a + 3] == '1',
    size = tonumber(args[a + 4]), ttlMs = args[a + 5], metaMs = args[a + 6],
    version = args[a + 7], versionEpoch = args[a + 8], isDelta = args[a + 9] == '1',
    resultMs = args[a + 10], lostPosition = args[a + 11]
  }
  k, a = k + 4, a + 11
  if item.resultMs ~= '0' then
    k = k + 1
    item.result = keys[k]
  end
  local isDone, replayId, result = pcall(store, item)
  if isDone then results[#results + 1] = replayId .. ' ' .. result
  else
    local reason = type(replayId) == 'table' and replayId.err or replayId
    results[#results + 1] = '!' .. string.gsub(reason, '%c', ' ')
  end
end
for _, channel in ipairs(channels) do
  local list = messages[channel]
  call(command, channel, #list == 1 and list[1] or joined(list))
end
return table.concat(results, '\\n')
`);

/**
 * Returns results in the order of the publications, which all belong to one node. Rejects if the outcome is unknown.
 */
export async function storeAndSend(
  connection: Redis,
  publications: readonly StoredPublication[],
  { sharded, maxPerStream }: PublishSettings,
): Promise<readonly PublishResult[]> {
  const keys: string[] = [];
  const args: (string | number | Buffer)[] = [sharded ? 'SPUBLISH' : 'PUBLISH', maxPerStream, newEpoch()];
  for (const { partition, channel, envelope, isRepeatable, store } of publications) {
    const { channel: name, conditions, delta, result, lostPosition = '' } = store;
    const { history, version } = conditions;
    keys.push(partition.key, metaKey(partition, name), historyKey(partition, name), generationKey(partition));
    if (result !== undefined) keys.push(result.key);
    args.push(
      channel,
      envelope,
      isRepeatable ? 1 : 0,
      history?.size ?? 0,
      Math.ceil(history?.ttlMs ?? 0),
      Math.ceil(history?.metaTtlMs ?? 0),
      version?.number ?? 0,
      version?.epoch ?? '',
      delta ? 1 : 0,
      Math.ceil(result?.ttlMs ?? 0),
      lostPosition,
    );
  }
  const reply = (await script.run(connection, keys, args)) as Buffer;
  return reply.toString().split('\n').map(toResult);
}

function toResult(line: string): PublishResult {
  if (line.startsWith('!')) return { failure: new Error(line.slice(1)) };
  const space = line.indexOf(' ');
  return { replayId: space === 0 ? undefined : line.slice(0, space), position: line.slice(space + 1) };
}
