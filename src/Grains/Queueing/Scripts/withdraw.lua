-- Takes an item out of the queue that nobody wants any more. One that a batcher has claimed stays.
-- KEYS  1 queue, 2 mark of the item
-- ARGV  1 item
-- gives 1 when it was taken out
if redis.call('LREM', KEYS[1], 1, ARGV[1]) == 1 then
    redis.call('DEL', KEYS[2])
    return 1
end
return 0
