-- The state of the queue.
-- KEYS  1 queue, 2 callers, 3 dead letters
-- ARGV  1 prefix of the items' marks
-- gives {waiting items, entry time of the oldest in unix ms or 0 without items, dead letters, now in unix ms}
local oldest = 0
local function look(caller)
    local item = redis.call('LINDEX', list(caller), 0)
    local mark = item and redis.call('GET', ARGV[1] .. item)
    local entered = mark and tonumber(string.match(mark, '^%d+|(%d+)|'))
    if entered and (oldest == 0 or entered < oldest) then
        oldest = entered
    end
end

look('')
for _, caller in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
    if caller ~= '' then
        look(caller)
    end
end
return {waiting(), oldest, redis.call('LLEN', KEYS[3]), now()}
