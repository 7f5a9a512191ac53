-- Removes an item from the queue when its last caller has left. An item that a batcher has claimed stays. An item that another caller
-- has joined stays, too: its deadline has changed.
-- KEYS  1 queue, 2 callers, 3 mark of the item
-- ARGV  1 item, 2 the deadline when it was queued, in unix ms, 3 lifetime of a debt in ms
-- gives 1 when it was removed
local mark = redis.call('GET', KEYS[3])
if not mark or deadline_of(mark) ~= tonumber(ARGV[2]) then
    return 0
end
local caller = caller_of(mark)
if redis.call('LREM', list(caller), 1, ARGV[1]) == 1 then
    redis.call('DEL', KEYS[3])
    if caller ~= '' and redis.call('EXISTS', list(caller)) == 0 then
        leave(caller, ARGV[3])
    end
    return 1
end
return 0
