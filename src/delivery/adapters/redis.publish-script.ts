import type { Redis } from 'ioredis';
import { LuaScript } from '../../redis/index.js';
import { newEpoch } from '../epoch.js';
import { generationKey, historyKey, metaKey } from './redis.keys.js';
import { standing } from './redis.standing.js';
import type { Submission } from './redis.submission.js';

export interface PublishSettings {
  readonly sharded: boolean;
  /** Entries in a stream of recent publications at most, roughly. */
  readonly maxPerStream: number;
}

/**
 * Sends publications in their order, each with what it asks for in one step. Those of one turn share the call, and those of one channel
 * the message, as a client's cost of a command or a message is several times that of a publication.
 *
 * ARGV: PUBLISH or SPUBLISH, entries in a stream of recent publications, new epoch. Then for each publication its Redis
 * channel, its envelope, whether it is to be among the recent ones (1 or 0), and whether it is kept (1 or 0); if it is, the size of the
 * history (0: none), its time in ms, the time of its meta data in ms, version (0: none), its epoch, whether subscribers want
 * differences (1 or 0), for how long the answer is kept in ms (0: not at all), and the place that it had before, or nothing.
 *
 * KEYS, for each publication: the stream of recent ones; if it is kept also meta, stream, generation, and where the answer is kept, if it is.
 *
 * Answers a line for each: the id among the recent ones, a space, and \`offset:epoch\`, each empty where there is none. Or \`!\` and why
 * this one failed, which leaves the others alone.
 */
const script = new LuaScript(`${standing}
local command, mostRecent, newEpoch = ARGV[1], ARGV[2], ARGV[3]
local keysRead, argumentsRead = 0, 3
local function nextKey() keysRead = keysRead + 1 return KEYS[keysRead] end
local function nextArgument() argumentsRead = argumentsRead + 1 return ARGV[argumentsRead] end

local channels, messages = {}, {}
local function send(item, place, previous)
  local recentId = ''
  if item.isRecent then
    local whole = place == '' and item.envelope or place .. struct.pack('>I4', 0) .. item.envelope
    recentId = redis.call('XADD', item.recent, 'MAXLEN', '~', mostRecent, '*', 'e', whole)
  end
  local message = item.envelope
  if place ~= '' then message = place .. struct.pack('>I4', #previous) .. previous .. message end
  local waiting = messages[item.channel]
  if waiting then waiting[#waiting + 1] = message
  else
    messages[item.channel] = { message }
    channels[#channels + 1] = item.channel
  end
  return recentId
end

local function joined(list)
  for index, message in ipairs(list) do list[index] = struct.pack('>I4', #message) .. message end
  return string.char(129) .. table.concat(list)
end

local function keep(item)
  local answer = item.answered and redis.call('GET', item.answered)
  if answer and item.place == '' then return '', answer end
  local epoch, offset
  if item.size > 0 then epoch, offset = standing(item.meta, item.stream, item.generation, newEpoch) end
  if item.place ~= '' then
    local known = answer or item.place
    if string.match(known, ':(.*)') == epoch then return '', known end
  end

  local place, previous = '', ''
  answer = ''
  if epoch then
    local version = tonumber(item.version)
    if version > 0 then
      local last = redis.call('HMGET', item.meta, 'version', 'versionEpoch')
      local isComparable = item.versionEpoch == '' or item.versionEpoch == last[2]
      if last[1] and isComparable and version <= tonumber(last[1]) then
        redis.call('PEXPIRE', item.meta, item.metaMs)
        return '', string.format('%d:%s', offset, epoch)
      end
      redis.call('HSET', item.meta, 'version', item.version, 'versionEpoch', item.versionEpoch)
    end
    if item.isDelta then
      local last = redis.call('XREVRANGE', item.stream, '+', '-', 'COUNT', 1)[1]
      if last then previous = string.sub(last[2][2], struct.unpack('>I4', last[2][2], 3) + 1) end
    end
    local number = string.format('%d', offset + 1)
    redis.call('HSET', item.meta, 'offset', number)
    redis.call('PEXPIRE', item.meta, item.metaMs)
    redis.call('XADD', item.stream, 'MAXLEN', item.size, number .. '-0', 'e', item.envelope)
    redis.call('PEXPIRE', item.stream, item.ttlMs)
    place = struct.pack('>BI6', 128, offset + 1) .. epoch
    answer = number .. ':' .. epoch
  end
  if item.answered then redis.call('SET', item.answered, answer, 'PX', item.rememberMs) end
  return send(item, place, previous), answer
end

local function nextItem()
  local item = {
    recent = nextKey(), channel = nextArgument(), envelope = nextArgument(),
    isRecent = nextArgument() == '1', isKept = nextArgument() == '1'
  }
  if item.isKept then
    item.meta, item.stream, item.generation = nextKey(), nextKey(), nextKey()
    item.size, item.ttlMs, item.metaMs = tonumber(nextArgument()), nextArgument(), nextArgument()
    item.version, item.versionEpoch = nextArgument(), nextArgument()
    item.isDelta, item.rememberMs, item.place = nextArgument() == '1', nextArgument(), nextArgument()
    if item.rememberMs ~= '0' then item.answered = nextKey() end
  end
  return item
end

local function carryOut(item)
  if item.isKept then return keep(item) end
  return send(item, '', ''), ''
end

local answers = {}
while argumentsRead < #ARGV do
  local isDone, recentId, answer = pcall(carryOut, nextItem())
  if isDone then answers[#answers + 1] = recentId .. ' ' .. answer
  else
    local reason = type(recentId) == 'table' and recentId.err or recentId
    answers[#answers + 1] = '!' .. string.gsub(reason, '%c', ' ')
  end
end
for _, channel in ipairs(channels) do
  local list = messages[channel]
  redis.call(command, channel, #list == 1 and list[1] or joined(list))
end
return table.concat(answers, '\\n')
`);

/** What became of one publication. */
export type PublishAnswer =
  { readonly recentId: string | undefined; readonly place: string } | { readonly failure: string };

/** Answers in the order of the submissions, which all belong to one node. Rejects where it cannot be known what became of them. */
export async function publishAll(
  connection: Redis,
  submissions: readonly Submission[],
  { sharded, maxPerStream }: PublishSettings,
): Promise<readonly PublishAnswer[]> {
  const keys: string[] = [];
  const args: (string | number | Buffer)[] = [sharded ? 'SPUBLISH' : 'PUBLISH', maxPerStream, newEpoch()];
  for (const { partition, channel, envelope, isRepeatable, keeping } of submissions) {
    keys.push(partition.key);
    args.push(channel, envelope, isRepeatable ? 1 : 0, keeping === undefined ? 0 : 1);
    if (keeping === undefined) continue;
    const { channel: name, terms, delta, answered, place = '' } = keeping;
    const { history, version } = terms;
    keys.push(metaKey(partition, name), historyKey(partition, name), generationKey(partition));
    if (answered !== undefined) keys.push(answered.key);
    args.push(
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

function toAnswer(line: string): PublishAnswer {
  if (line.startsWith('!')) return { failure: line.slice(1) };
  const space = line.indexOf(' ');
  return { recentId: space === 0 ? undefined : line.slice(0, space), place: line.slice(space + 1) };
}
