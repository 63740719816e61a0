-- gcra.rs in Redis. KEYS[1]: when the quota is whole again. ARGV[2], ARGV[3]: interval and burst in microseconds;
-- ARGV[4]: how many are wanted. Grants as many of them as fit.
local interval, burst, wanted = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local whole_at = tonumber(redis.call('GET', KEYS[1]) or now)
local current = math.min(math.max(whole_at, now), now + burst)
local granted = math.min(wanted, math.floor((now + burst - current) / interval))
if granted < 1 then
  return {current - now, current + interval - burst - now, 0}
end
local next_at = current + granted * interval
local life = math.ceil((next_at - now) / 1000) + slack
-- Lua would write a number this large with an exponent and lose its end.
redis.call('SET', KEYS[1], string.format('%.0f', next_at), 'PX', life)
return {next_at - now, 0, granted}
