-- distinct.rs in Redis. KEYS[1]: members by when they were last seen.
-- ARGV[2], ARGV[3], ARGV[4]: limit, window in microseconds, member.
local limit, window, member = tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local function at(time) return string.format('%.0f', time) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', at(now - window))
redis.call('ZREMRANGEBYSCORE', KEYS[1], at(now + window), '+inf')
local wait = 0
local members = redis.call('ZCARD', KEYS[1])
if redis.call('ZSCORE', KEYS[1], member) or members < limit then
  redis.call('ZADD', KEYS[1], at(now), member)
  redis.call('PEXPIRE', KEYS[1], math.ceil(window / 1000) + slack)
else
  wait = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2] + window - now
end
local newest = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2]
return {redis.call('ZCARD', KEYS[1]), newest + window - now, wait}
