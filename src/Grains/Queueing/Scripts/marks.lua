-- The marks of items: deadline|enqueued|traceparent, and |caller for a named caller, in unix ms. This file is
-- put in front of the scripts that need it.
-- A list expires an hour after its last item was added, and a mark two hours after the last move of its item. So an item that is in a list
-- always has its mark, even after a long outage, and is not queued a second time.
local list_lifetime = 3600000
local mark_lifetime = 7200000

local function deadline_of(mark)
    return tonumber(string.match(mark, '^(%d+)|') or '0')
end

-- Whether the item of a mark can still wait or be processed. An item that no batcher claims is lost when its list expires, within an hour after
-- its deadline unless other items come. Its mark then still exists for a while.
local function stands(mark, time)
    return mark and time - deadline_of(mark) <= list_lifetime
end

local function whole(number)
    return string.format('%.0f', number)
end

-- Moves the deadline of an item to that of one more caller, if it is later. An asynchronous caller changes the deadline in any case: a
-- withdrawal for earlier callers then notices that another caller needs the item. Gives the deadline.
local function extend(key, mark, deadline, asynchronous)
    local rest = string.match(mark, '^%d+(|.*)$')
    if not rest then
        -- Another program wrote this value. It expires.
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
