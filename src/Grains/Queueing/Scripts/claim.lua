-- Moves items from the head of the queue to a batcher's in-flight list.
-- KEYS  1 queue, 2 in-flight list, 3 lease, 4 attempts
-- ARGV  1 most items, 2 prefix of the items' marks, 3 attempts from which an item is claimed alone
-- gives nothing when the lease has ended, else {length left, item, mark, attempts, item, mark, attempts, ...};
-- the mark is empty for an item that expired or was withdrawn
if redis.call('EXISTS', KEYS[3]) == 0 then
    return {}
end
local claimed = {0}
local suspects = redis.call('EXISTS', KEYS[4]) == 1
for i = 1, tonumber(ARGV[1]) do
    local item = redis.call('LINDEX', KEYS[1], 0)
    if not item then
        break
    end
    local attempts = 0
    if suspects then
        attempts = tonumber(redis.call('HGET', KEYS[4], item) or '0')
        if attempts >= tonumber(ARGV[3]) and i > 1 then
            break
        end
    end
    redis.call('LMOVE', KEYS[1], KEYS[2], 'LEFT', 'RIGHT')
    claimed[#claimed + 1] = item
    claimed[#claimed + 1] = redis.call('GET', ARGV[2] .. item) or ''
    claimed[#claimed + 1] = attempts
    if attempts >= tonumber(ARGV[3]) then
        break
    end
end
if #claimed > 1 then
    redis.call('PEXPIRE', KEYS[2], 3600000)
end
claimed[1] = redis.call('LLEN', KEYS[1])
return claimed
