-- ARGV[1]: microseconds, or '' for this server's clock. A caller's clock may stand still, so its keys live longer.
local now, slack = tonumber(ARGV[1]), 3600000
if not now then
  local time = redis.call('TIME')
  now, slack = time[1] * 1000000 + time[2], 0
end
