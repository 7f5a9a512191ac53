-- Takes an item out of the queue that nobody wants any more. One that a batcher has claimed stays.
-- KEYS  1 queue, 2 callers, 3 mark of the item
-- ARGV  1 item
-- gives 1 when it was taken out
local caller = caller_of(redis.call('GET', KEYS[3]))
if redis.call('LREM', list(caller), 1, ARGV[1]) == 1 then
    redis.call('DEL', KEYS[3])
    if caller ~= '' and redis.call('EXISTS', list(caller)) == 0 then
        redis.call('ZREM', KEYS[2], caller)
    end
    return 1
end
return 0
