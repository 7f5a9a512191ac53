-- The marks of items: deadline|enqueued|traceparent, and |caller of one with a name, in unix ms. Stands before the scripts that need it.
-- An item's list expires an hour after the last item came, and its mark lives for two from each of its moves: while the item stands
-- anywhere, whatever was away meanwhile, its mark says so, and it is not queued a second time.
local list_lifetime = 3600000
local mark_lifetime = 7200000

local function deadline_of(mark)
    return tonumber(string.match(mark, '^(%d+)|') or '0')
end

-- Whether the item of a mark can still wait or run. An item that nobody takes goes with its list, which expires within an hour after its
-- deadline unless others come; its mark then lives on for a while.
local function stands(mark, time)
    return mark and time - deadline_of(mark) <= list_lifetime
end

local function whole(number)
    return string.format('%.0f', number)
end

-- Gives an item to one more who waits, maybe longer than those before. Of one who will come back the mark shows it in any case, so that
-- whoever takes the item out of the queue for those before him sees that it is not theirs alone. Gives the deadline.
local function extend(key, mark, deadline, asynchronous)
    local rest = string.match(mark, '^%d+(|.*)$')
    if not rest then
        -- Somebody else wrote it. It expires.
        return deadline
    end
    local before = deadline_of(mark)
    local after = math.max(before, deadline)
    if asynchronous and after == before then
        after = before + 1
    end
    if after > before then
        -- The first write of a script may not need memory when Redis is full; what follows may.
        redis.call('PEXPIRE', key, mark_lifetime)
        redis.call('SET', key, whole(after) .. rest, 'PX', mark_lifetime)
    end
    return after
end
