-- Takes up to ARGV[1] of the oldest items, unless the taker's lease has expired: other takers may then be returning its items.
-- KEYS: lease, queue, taken. Returns the items, the oldest first, or nil without a lease.
if redis.call('EXISTS', KEYS[1]) == 0 then
  return false
end
local items = {}
for i = 1, tonumber(ARGV[1]) do
  local item = redis.call('LMOVE', KEYS[2], KEYS[3], 'RIGHT', 'LEFT')
  if not item then
    break
  end
  items[i] = item
end
return items
