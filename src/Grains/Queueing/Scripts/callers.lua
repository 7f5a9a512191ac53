-- Who has which list; stands before the scripts that need it.
-- KEYS  1 queue, 2 callers
-- The queue's own list is that of nobody in particular. A named caller's list has his name behind the queue's key, and while it holds
-- anything he stands among the callers, scored by his turns so far. Nobody in particular stands among them only beside others, so that
-- without names there is one list and nothing else.
local function list(caller)
    return caller == '' and KEYS[1] or KEYS[1] .. ':' .. caller
end

-- The caller of an item, from its mark.
local function caller_of(mark)
    return mark and string.match(mark, '^%d+|%d+|[^|]*|(.+)$') or ''
end

-- Takes a caller among those who have turns, as one who has had no more of them than any other. Turns of the past give no claim.
local function join(caller)
    local first = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
    redis.call('ZADD', KEYS[2], 'NX', first[2] or '0', caller)
    redis.call('PEXPIRE', KEYS[2], list_lifetime)
end

-- Returns an item to the head of its caller's list.
local function give_back(item, mark_key)
    local caller = caller_of(redis.call('GET', mark_key))
    redis.call('PEXPIRE', mark_key, mark_lifetime)
    redis.call('LPUSH', list(caller), item)
    redis.call('PEXPIRE', list(caller), list_lifetime)
    if caller ~= '' then
        join(caller)
    end
end

-- Number of items that wait.
local function waiting()
    local total = redis.call('LLEN', KEYS[1])
    for _, caller in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
        if caller ~= '' then
            total = total + redis.call('LLEN', list(caller))
        end
    end
    return total
end
