-- Returns the items of a batcher whose lease expired to the heads of the callers' lists, in their old order. Items with too many attempts
-- become dead letters.
-- KEYS  1 queue, 2 callers, 3 in-flight list, 4 lease, 5 batchers, 6 attempts, 7 dead letters
-- ARGV  1 batcher, 2 most attempts, 3 prefix of the items' marks, 4 wake-up channel, 5 lifetime of attempts in ms,
--       6 most dead letters, 7 lifetime of dead letters in ms, 8 prefix of the keys that refuse items, 9 lifetime of those in ms, 10 attempts to count for each item, 0 or 1
-- gives {-1} when the lease is valid, else {items returned, dead-lettered item, ...}
if redis.call('EXISTS', KEYS[4]) == 1 then
    return {-1}
end
local outcome = {0}
local time = whole(now())
while true do
    local item = redis.call('RPOP', KEYS[3])
    if not item then
        break
    end
    local attempts = 0
    if ARGV[10] ~= '0' then
        attempts = redis.call('HINCRBY', KEYS[6], item, 1)
    end
    if attempts >= tonumber(ARGV[2]) then
        redis.call('HDEL', KEYS[6], item, 'on:' .. item)
        redis.call('DEL', ARGV[3] .. item)
        redis.call('SET', ARGV[8] .. item, time, 'PX', ARGV[9])
        redis.call('LPUSH', KEYS[7], item .. '|poison|' .. attempts .. '|' .. time)
        redis.call('LTRIM', KEYS[7], 0, tonumber(ARGV[6]) - 1)
        redis.call('PEXPIRE', KEYS[7], ARGV[7])
        outcome[#outcome + 1] = item
    else
        give_back(item, ARGV[3] .. item)
        outcome[1] = outcome[1] + 1
    end
end
redis.call('PEXPIRE', KEYS[6], ARGV[5])
redis.call('SREM', KEYS[5], ARGV[1])
if outcome[1] > 0 then
    redis.call('PUBLISH', ARGV[4], '')
end
return outcome
