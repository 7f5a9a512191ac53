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

-- What a caller owes while he does not stand among those who have turns: his pictures cost more than the turns that he has had.
local function debt_key(caller)
    return KEYS[2] .. ':' .. caller
end

-- The turns of a caller, or those with which he would join: no more than any other has had, and what he owes. Turns of the past give
-- no claim.
local function turns_of(caller)
    local score = redis.call('ZSCORE', KEYS[2], caller)
    if score then
        return tonumber(score)
    end
    local first = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
    return tonumber(first[2] or '0') + tonumber(redis.call('GET', debt_key(caller)) or '0')
end

-- Takes a caller among those who have turns.
local function join(caller)
    redis.call('ZADD', KEYS[2], 'NX', whole(turns_of(caller)), caller)
    redis.call('DEL', debt_key(caller))
    redis.call('PEXPIRE', KEYS[2], list_lifetime)
end

-- Takes turns from a caller, now or from those of his next items.
local function charge(caller, turns, debt_lifetime)
    if redis.call('ZSCORE', KEYS[2], caller) then
        redis.call('ZINCRBY', KEYS[2], turns, caller)
    else
        redis.call('INCRBY', debt_key(caller), turns)
        redis.call('PEXPIRE', debt_key(caller), debt_lifetime)
    end
end

-- A caller's list is empty. What he has had more than others he owes when he comes again.
local function leave(caller, debt_lifetime)
    local turns = turns_of(caller)
    redis.call('ZREM', KEYS[2], caller)
    local first = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
    if first[2] and turns - tonumber(first[2]) > 1 then
        charge(caller, whole(turns - tonumber(first[2])), debt_lifetime)
    end
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
