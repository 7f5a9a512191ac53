-- A batcher does not start items that it has claimed: returns them to the heads of the callers' lists, in their old order, without an
-- attempt.
-- KEYS  1 queue, 2 callers, 3 in-flight list
-- ARGV  1 prefix of the items' marks, 2 wake-up channel, then items
-- gives the number of items returned
local returned = 0
for i = #ARGV, 3, -1 do
    if redis.call('LREM', KEYS[3], 1, ARGV[i]) > 0 then
        give_back(ARGV[i], ARGV[1] .. ARGV[i])
        returned = returned + 1
    end
end
if returned > 0 then
    redis.call('PUBLISH', ARGV[2], '')
end
return returned
