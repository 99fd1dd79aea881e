import type { Redis } from 'ioredis';
import { LuaScript } from '../../../redis/index.js';
import { newEpoch } from '../../history/epoch.js';
import { generationKey, historyKey, metaKey } from './keys.js';
import { standing } from './channel-state-script.js';
import type { StoredPublication, PublishResult, PublishSettings } from './redis-publication.js';

/**
 * Keeps and sends publications in their order, each in one step. Those of one channel share a message.
 *
 * ARGV: PUBLISH or SPUBLISH, entries in a stream of recent publications, new epoch. Then for each publication its Redis
 * channel, its envelope, 1 if it is to be among the recent ones (else 0), the size of the history (0: none), its time in ms, the
 * time of its meta data in ms, version (0: none), its epoch, 1 if subscribers want differences (else 0), for how long the answer is
 * kept in ms (0: not at all), and the place that it had before, or nothing.
 *
 * KEYS, for each publication: the stream of recent ones, meta, stream, generation, and where the answer is kept, if it is.
 *
 * Answers a line for each: the id among the recent ones, a space, and `offset:epoch`, each empty where there is none. Or `!` and why
 * this one failed, which leaves the others alone.
 */
const script = new LuaScript(`${standing}
local keys, args, call = KEYS, ARGV, redis.call
local command, mostRecent, newEpoch = args[1], args[2], args[3]

local channels, messages = {}, {}
local function send(channel, message)
  local waiting = messages[channel]
  if waiting then waiting[#waiting + 1] = message
  else
    messages[channel] = { message }
    channels[#channels + 1] = channel
  end
end

local function joined(list)
  for index, message in ipairs(list) do list[index] = struct.pack('>I4', #message) .. message end
  return string.char(129) .. table.concat(list)
end

local function keep(item)
  local answer = item.answered and call('GET', item.answered)
  if answer and item.place == '' then return '', answer end
  local epoch, offset
  if item.size > 0 then epoch, offset = standing(item.meta, item.stream, item.generation, newEpoch) end
  if item.place ~= '' then
    local known = answer or item.place
    if string.match(known, ':(.*)') == epoch then return '', known end
  end

  local place, message, recentId = '', item.envelope, ''
  answer = ''
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
    place = struct.pack('>BI6', 128, offset + 1) .. epoch
    message = place .. struct.pack('>I4', #previous) .. previous .. item.envelope
    answer = number .. ':' .. epoch
  end
  if item.answered then call('SET', item.answered, answer, 'PX', item.rememberMs) end
  if item.isRecent then
    local whole = place == '' and item.envelope or place .. struct.pack('>I4', 0) .. item.envelope
    recentId = call('XADD', item.recent, 'MAXLEN', '~', mostRecent, '*', 'e', whole)
  end
  send(item.channel, message)
  return recentId, answer
end

local answers, k, a = {}, 0, 3
while a < #args do
  local item = {
    recent = keys[k + 1], meta = keys[k + 2], stream = keys[k + 3], generation = keys[k + 4],
    channel = args[a + 1], envelope = args[a + 2], isRecent = args[a + 3] == '1',
    size = tonumber(args[a + 4]), ttlMs = args[a + 5], metaMs = args[a + 6],
    version = args[a + 7], versionEpoch = args[a + 8], isDelta = args[a + 9] == '1',
    rememberMs = args[a + 10], place = args[a + 11]
  }
  k, a = k + 4, a + 11
  if item.rememberMs ~= '0' then
    k = k + 1
    item.answered = keys[k]
  end
  local isDone, recentId, answer = pcall(keep, item)
  if isDone then answers[#answers + 1] = recentId .. ' ' .. answer
  else
    local reason = type(recentId) == 'table' and recentId.err or recentId
    answers[#answers + 1] = '!' .. string.gsub(reason, '%c', ' ')
  end
end
for _, channel in ipairs(channels) do
  local list = messages[channel]
  call(command, channel, #list == 1 and list[1] or joined(list))
end
return table.concat(answers, '\\n')
`);

/** Answers in the order of the submissions, which all belong to one node. Rejects where it cannot be known what became of them. */
export async function storeAndSend(
  connection: Redis,
  submissions: readonly StoredPublication[],
  { sharded, maxPerStream }: PublishSettings,
): Promise<readonly PublishResult[]> {
  const keys: string[] = [];
  const args: (string | number | Buffer)[] = [sharded ? 'SPUBLISH' : 'PUBLISH', maxPerStream, newEpoch()];
  for (const { partition, channel, envelope, isRepeatable, keeping } of submissions) {
    const { channel: name, terms, delta, answered, place = '' } = keeping;
    const { history, version } = terms;
    keys.push(partition.key, metaKey(partition, name), historyKey(partition, name), generationKey(partition));
    if (answered !== undefined) keys.push(answered.key);
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
      Math.ceil(answered?.ttlMs ?? 0),
      place,
    );
  }
  const answer = (await script.run(connection, keys, args)) as Buffer;
  return answer.toString().split('\n').map(toAnswer);
}

function toAnswer(line: string): PublishResult {
  if (line.startsWith('!')) return { failure: new Error(line.slice(1)) };
  const space = line.indexOf(' ');
  return { recentId: space === 0 ? undefined : line.slice(0, space), place: line.slice(space + 1) };
}
