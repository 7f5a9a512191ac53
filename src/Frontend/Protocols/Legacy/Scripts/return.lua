-- Returns the items of a taker to the queue, in their old order, unless the taker's lease exists. An item that was returned too often
-- is dropped, because it may have ended the processes of its takers. KEYS: lease, queue, taken, takers, returns.
-- ARGV: taker, maximum number of returns, or 0 for a taker that stops: then nothing is counted or dropped.
-- Returns the numbers of items returned and dropped.
if redis.call('EXISTS', KEYS[1]) == 1 then
  return {0, 0}
end
local most = tonumber(ARGV[2])
local back, dropped = 0, 0
while true do
  local item = redis.call('LMOVE', KEYS[3], KEYS[2], 'LEFT', 'RIGHT')
  if not item then
    break
  end
  if most > 0 and redis.call('HINCRBY', KEYS[5], redis.sha1hex(item), 1) > most then
    redis.call('RPOP', KEYS[2])
    dropped = dropped + 1
  else
    back = back + 1
  end
end
if most > 0 and back + dropped > 0 then
  redis.call('EXPIRE', KEYS[5], 3600)
end
redis.call('SREM', KEYS[4], ARGV[1])
return {back, dropped}
