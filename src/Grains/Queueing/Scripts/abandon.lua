-- Removes the items that wait for a model that no silo serves any more.
-- KEYS  1 queue, 2 callers
-- ARGV  1 prefix of the items' marks, 2 most items
-- gives the items
local ended = {}
local function abandon(caller)
    while #ended < tonumber(ARGV[2]) do
        local item = redis.call('LPOP', list(caller))
        if not item then
            break
        end
        redis.call('DEL', ARGV[1] .. item)
        ended[#ended + 1] = item
    end
    if redis.call('EXISTS', list(caller)) == 0 then
        redis.call('ZREM', KEYS[2], caller)
    end
end

for _, caller in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
    abandon(caller)
end
abandon('')
return ended
