-- A batcher stops: returns its items to the heads of the callers' lists, without an attempt, and ends its lease.
-- KEYS  1 queue, 2 callers, 3 in-flight list, 4 lease, 5 batchers
-- ARGV  1 batcher, 2 wake-up channel, 3 prefix of the items' marks
-- gives the number of items returned
local returned = 0
while true do
    local item = redis.call('RPOP', KEYS[3])
    if not item then
        break
    end
    give_back(item, ARGV[3] .. item)
    returned = returned + 1
end
redis.call('DEL', KEYS[4])
redis.call('SREM', KEYS[5], ARGV[1])
if returned > 0 then
    redis.call('PUBLISH', ARGV[2], '')
end
return returned
