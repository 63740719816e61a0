-- gcra.rs in Redis. KEYS[1]: when the quota is whole again. ARGV[2], ARGV[3]: interval and burst in microseconds.
local interval, burst = tonumber(ARGV[2]), tonumber(ARGV[3])
local whole_at = tonumber(redis.call('GET', KEYS[1]) or now)
local current = math.min(math.max(whole_at, now), now + burst)
local next_at = current + interval
local wait = next_at - burst - now
if wait > 0 then
  return {current - now, wait}
end
local life = math.ceil((next_at - now) / 1000) + slack
-- Lua would write a number this large with an exponent and lose its end.
redis.call('SET', KEYS[1], string.format('%.0f', next_at), 'PX', life)
return {next_at - now, 0}
