-- A device failed on items that its batcher holds: back to the heads of the callers' lists, in their old order, with an attempt counted;
-- what failed too often is given up. Unlike poison it is not refused when it is asked for again: the devices may have been at fault.
-- KEYS  1 queue, 2 callers, 3 in-flight list, 4 attempts, 5 dead letters
-- ARGV  1 prefix of the items' marks, 2 wake-up channel, 3 most attempts, 4 lifetime of attempts in ms, 5 most dead letters,
--       6 lifetime of dead letters in ms, 7 device, then items
-- gives per item: 0 not held any more, 1 returned, 2 given up
local outcome = {}
local returned = false
local time = whole(now())
for i = #ARGV, 8, -1 do
    local item = ARGV[i]
    if redis.call('LREM', KEYS[3], 1, item) == 0 then
        outcome[i - 7] = 0
    elseif redis.call('HINCRBY', KEYS[4], item, 1) >= tonumber(ARGV[3]) then
        redis.call('HDEL', KEYS[4], item, 'on:' .. item)
        redis.call('DEL', ARGV[1] .. item)
        redis.call('LPUSH', KEYS[5], item .. '|device|' .. ARGV[3] .. '|' .. time)
        redis.call('LTRIM', KEYS[5], 0, tonumber(ARGV[5]) - 1)
        redis.call('PEXPIRE', KEYS[5], ARGV[6])
        outcome[i - 7] = 2
    else
        redis.call('HSET', KEYS[4], 'on:' .. item, ARGV[7])
        give_back(item, ARGV[1] .. item)
        returned = true
        outcome[i - 7] = 1
    end
end
redis.call('PEXPIRE', KEYS[4], ARGV[4])
if returned then
    redis.call('PUBLISH', ARGV[2], '')
end
return outcome
