-- guesses.rs in Redis; the constants come from there. KEYS[1]: both lists, packed.
-- ARGV[2]: 'reserve', 'given_back' or 'failed'; ARGV[3]: the attempt. Times in microseconds.
local verb, attempt = ARGV[2], tonumber(ARGV[3])
local pending, failures = {}, {}
local state = redis.call('GET', KEYS[1])
if state then
  pending, failures = cmsgpack.unpack(state)
end

local function add_failure(at)
  table.insert(failures, at)
  table.sort(failures)
  while #failures > FAILURES_KEPT do
    table.remove(failures, 1)
  end
end

local function settle()
  local reserved, failed = pending, failures
  pending, failures = {}, {}
  for _, at in ipairs(failed) do
    if math.abs(now - at) < WINDOW then table.insert(failures, at) end
  end
  for _, at in ipairs(reserved) do
    local failed_at = math.min(at + RESERVATION_LIFE, now)
    if math.abs(now - at) < RESERVATION_LIFE then
      table.insert(pending, at)
    elseif now - failed_at < WINDOW then
      add_failure(failed_at)
    end
  end
end

local function save()
  if #pending == 0 and #failures == 0 then
    return redis.call('DEL', KEYS[1])
  end
  local life = math.ceil((WINDOW + RESERVATION_LIFE) / 1000) + slack
  return redis.call('SET', KEYS[1], cmsgpack.pack(pending, failures), 'PX', life)
end

local function position(wanted)
  for at, name in ipairs(pending) do
    if name == wanted then return at end
  end
end

settle()
if verb ~= 'reserve' then
  local held = position(attempt)
  if held then table.remove(pending, held) end
  if verb == 'failed' and held then add_failure(now) end
  save()
  return {'resolved', 0}
end

local past_free = #failures - FREE_FAILURES
if past_free >= 0 then
  local wait = math.min(now, failures[#failures]) + WAITS[math.min(past_free + 1, #WAITS)] - now
  if wait > 0 then return {'refused', wait} end
end
if #pending >= math.max(FREE_FAILURES - #failures, 1) then
  return {'held', 0}
end
local name = now
while position(name) do name = name + 1 end
table.insert(pending, name)
save()
return {'admitted', name}
