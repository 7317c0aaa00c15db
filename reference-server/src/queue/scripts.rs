//! The scripts of the queue: each is one step for Redis, which runs nothing else meanwhile.
//!
//! Every time is Redis' own, and the order of entry is a number that Redis counts, so it does not
//! matter which of several servers a user meets, or how their clocks differ.

/// KEYS waiting, running, seen, sequence, events; ARGV user, event, and the place that a bug takes
/// from a server's clock, else nothing. Gives {0, rank, waiting, place} to who entered, {1} to who
/// waits already, {2} to who is admitted.
pub(super) const ENTER: &str = "
if redis.call('ZSCORE', KEYS[2], ARGV[1]) then return {2, 0, 0, 0} end
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then return {1, 0, 0, 0} end
local now = redis.call('TIME')
local place = tonumber(ARGV[3]) or redis.call('INCR', KEYS[4])
redis.call('ZADD', KEYS[1], string.format('%.0f', place), ARGV[1])
redis.call('ZADD', KEYS[3], now[1] * 1000 + math.floor(now[2] / 1000), ARGV[1])
redis.call('SADD', KEYS[5], ARGV[2])
return {0, redis.call('ZRANK', KEYS[1], ARGV[1]), redis.call('ZCARD', KEYS[1]), place}
";

/// KEYS waiting, running, seen; ARGV user. A sign of life of the user as well.
/// Gives {1, rank, waiting} to who waits, {2} to who is admitted, {0} to the unknown.
pub(super) const ORDER: &str = "
local rank = redis.call('ZRANK', KEYS[1], ARGV[1])
local now = redis.call('TIME')
local at = now[1] * 1000 + math.floor(now[2] / 1000)
if rank then
  redis.call('ZADD', KEYS[3], at, ARGV[1])
  return {1, rank, redis.call('ZCARD', KEYS[1])}
end
if redis.call('ZSCORE', KEYS[2], ARGV[1]) then
  redis.call('ZADD', KEYS[2], at, ARGV[1])
  return {2, 0, 0}
end
return {0, 0, 0}
";

/// KEYS waiting, running, seen, settings, defaults, gate; ARGV threshold, transfer size, for how
/// many milliseconds nobody else transfers, and 0 where a bug counts nobody as inside, else 1.
/// Gives {moved, waiting, running}.
pub(super) const TRANSFER: &str = "
local function setting(name, own)
  local set = redis.call('HGET', KEYS[4], name) or redis.call('HGET', KEYS[5], name)
  return tonumber(set or own)
end
local running = redis.call('ZCARD', KEYS[2])
local count = 0
local mine = redis.call('SET', KEYS[6], '1', 'NX', 'PX', ARGV[3])
if mine then
  local free = setting('threshold', ARGV[1]) - running * ARGV[4]
  local most = math.min(setting('transferSize', ARGV[2]), free)
  if most > 0 then
    local now = redis.call('TIME')
    local at = now[1] * 1000 + math.floor(now[2] / 1000)
    local first = redis.call('ZPOPMIN', KEYS[1], most)
    for i = 1, #first, 2 do
      redis.call('ZADD', KEYS[2], at, first[i])
      redis.call('ZREM', KEYS[3], first[i])
      count = count + 1
    end
  end
end
return {count, redis.call('ZCARD', KEYS[1]), running + count}
";

/// KEYS waiting, running, seen, events; ARGV event, and the milliseconds that one may be silent
/// waiting and running. Gives {waiting dropped, running dropped}. At most 1,000 of those who
/// wait at once: Redis answers nobody else meanwhile.
pub(super) const EXPIRE: &str = "
local now = redis.call('TIME')
local at = now[1] * 1000 + math.floor(now[2] / 1000)
local silent = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', at - ARGV[2], 'LIMIT', 0, 1000)
for _, user in ipairs(silent) do
  redis.call('ZREM', KEYS[1], user)
  redis.call('ZREM', KEYS[3], user)
end
local gone = redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', at - ARGV[3])
if redis.call('ZCARD', KEYS[1]) == 0 and redis.call('ZCARD', KEYS[2]) == 0 then
  redis.call('SREM', KEYS[4], ARGV[1])
end
return {#silent, gone}
";

/// KEYS requests, waiting, running, settings, defaults; ARGV user, threshold, requests a minute.
/// Counts one request. A minute is the bucket of 10 s that has begun and the six before it.
/// Gives {requests, waiting, running, threshold, requests a minute, whether the user is admitted}.
pub(super) const TRAFFIC: &str = "
local function setting(name, own)
  local set = redis.call('HGET', KEYS[4], name) or redis.call('HGET', KEYS[5], name)
  return tonumber(set or own)
end
local bucket = math.floor(redis.call('TIME')[1] / 10)
redis.call('HINCRBY', KEYS[1], bucket, 1)
redis.call('EXPIRE', KEYS[1], 80)
local requests = 0
local buckets = redis.call('HGETALL', KEYS[1])
for i = 1, #buckets, 2 do
  if tonumber(buckets[i]) < bucket - 6 then
    redis.call('HDEL', KEYS[1], buckets[i])
  else
    requests = requests + tonumber(buckets[i + 1])
  end
end
local admitted = redis.call('ZSCORE', KEYS[3], ARGV[1]) and 1 or 0
return {requests, redis.call('ZCARD', KEYS[2]), redis.call('ZCARD', KEYS[3]),
  setting('threshold', ARGV[2]), setting('trafficRpm', ARGV[3]), admitted}
";

/// KEYS waiting, running, settings, defaults, events; ARGV user, event, threshold. Admits the user
/// without a queue. Gives 1 if there was room and nobody waits, or the user was admitted before.
pub(super) const ADMIT: &str = "
local set = redis.call('HGET', KEYS[3], 'threshold') or redis.call('HGET', KEYS[4], 'threshold')
if not redis.call('ZSCORE', KEYS[2], ARGV[1]) then
  if redis.call('ZCARD', KEYS[1]) > 0 then return 0 end
  if redis.call('ZCARD', KEYS[2]) >= tonumber(set or ARGV[3]) then return 0 end
end
local now = redis.call('TIME')
redis.call('ZADD', KEYS[2], now[1] * 1000 + math.floor(now[2] / 1000), ARGV[1])
redis.call('SADD', KEYS[5], ARGV[2])
return 1
";
