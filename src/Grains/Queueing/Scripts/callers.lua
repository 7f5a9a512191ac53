-- The lists and the turns of callers. This file is put in front of the scripts that need it.
-- KEYS  1 queue, 2 callers
-- Callers without a name share the list under the queue's key. The list of a named caller has the name appended to that key. While a
-- list has items, its caller is in the sorted set of callers, with the number of its turns as score. The callers without a name are in
-- the set only while a named caller is: without names there is one list and no set.
local function list(caller)
    return caller == '' and KEYS[1] or KEYS[1] .. ':' .. caller
end

-- The caller of an item, from its mark.
local function caller_of(mark)
    return mark and string.match(mark, '^%d+|%d+|[^|]*|(.+)$') or ''
end

-- The debt of a caller that is not in the set: its pictures cost more turns than it had.
local function debt_key(caller)
    return KEYS[2] .. ':' .. caller
end

-- The turns of a caller. A caller that is not in the set gets the lowest number of turns in it, plus its debt: a caller gets no
-- advantage for the time before it came.
local function turns_of(caller)
    local score = redis.call('ZSCORE', KEYS[2], caller)
    if score then
        return tonumber(score)
    end
    local first = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
    return tonumber(first[2] or '0') + tonumber(redis.call('GET', debt_key(caller)) or '0')
end

-- Adds a caller to the set.
local function join(caller)
    redis.call('ZADD', KEYS[2], 'NX', whole(turns_of(caller)), caller)
    redis.call('DEL', debt_key(caller))
    redis.call('PEXPIRE', KEYS[2], list_lifetime)
end

-- Charges a caller turns: now, or as a debt for its next items.
local function charge(caller, turns, debt_lifetime)
    if redis.call('ZSCORE', KEYS[2], caller) then
        redis.call('ZINCRBY', KEYS[2], turns, caller)
    else
        redis.call('INCRBY', debt_key(caller), turns)
        redis.call('PEXPIRE', debt_key(caller), debt_lifetime)
    end
end

-- The list of a caller is empty: removes it from the set. The turns that it had more than others become its debt.
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
