-- Moves items from the heads of the callers' lists, one from each in turn, to a batcher's in-flight list.
-- KEYS  1 queue, 2 callers, 3 in-flight list, 4 lease, 5 attempts, 6 batchers
-- ARGV  1 most items, 2 prefix of the items' marks, 3 attempts from which an item is claimed alone, 4 the batcher's device
-- gives nothing when the lease has expired, else {items left, now in unix ms, item, mark, attempts, item, mark, attempts, ...};
-- the mark is empty for an item whose mark is gone
if redis.call('EXISTS', KEYS[4]) == 0 then
    return {}
end

-- The first write may not need memory, so that items are processed while Redis is full.
redis.call('PEXPIRE', KEYS[3], list_lifetime)
local turns = redis.call('EXISTS', KEYS[2]) == 1
if turns and redis.call('LLEN', KEYS[1]) > 0 then
    join('')
end

-- The next item and its caller. A caller whose list has expired is removed from the set.
local function head()
    while turns do
        local caller = redis.call('ZRANGE', KEYS[2], 0, 0)[1]
        if not caller then
            turns = false
            break
        end
        local item = redis.call('LINDEX', list(caller), 0)
        if item then
            return item, caller
        end
        redis.call('ZREM', KEYS[2], caller)
    end
    return redis.call('LINDEX', KEYS[1], 0), ''
end

local claimed = {0, now()}
local suspects = redis.call('EXISTS', KEYS[5]) == 1
for i = 1, tonumber(ARGV[1]) do
    local item, caller = head()
    if not item then
        break
    end
    local attempts = 0
    if suspects then
        attempts = tonumber(redis.call('HGET', KEYS[5], item) or '0')
        if attempts >= tonumber(ARGV[3]) and i > 1 then
            break
        end
        -- The device failed on this item. Leave it to another device, as long as one has not failed on it.
        local devices = redis.call('HGET', KEYS[5], 'on:' .. item)
        if devices and string.find('\n' .. devices, '\n' .. ARGV[4] .. '\n', 1, true)
            and redis.call('SCARD', KEYS[6]) > select(2, string.gsub(devices, '\n', '')) then
            break
        end
    end
    redis.call('LMOVE', list(caller), KEYS[3], 'LEFT', 'RIGHT')
    if turns then
        if redis.call('EXISTS', list(caller)) == 1 then
            redis.call('ZINCRBY', KEYS[2], '1', caller)
        else
            redis.call('ZREM', KEYS[2], caller)
        end
    end
    claimed[#claimed + 1] = item
    claimed[#claimed + 1] = redis.call('GET', ARGV[2] .. item) or ''
    redis.call('PEXPIRE', ARGV[2] .. item, mark_lifetime)
    claimed[#claimed + 1] = attempts
    if attempts >= tonumber(ARGV[3]) then
        break
    end
end
if #claimed > 2 then
    redis.call('PEXPIRE', KEYS[3], list_lifetime)
end
claimed[1] = waiting()
return claimed
