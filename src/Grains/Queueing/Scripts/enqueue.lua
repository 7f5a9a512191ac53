-- Puts an item at the tail of its caller's list, unless it already waits or is processed, or the queue is full.
-- KEYS  1 queue, 2 callers, 3 mark of the item, 4 its result, 5 exists while the item is refused as poison
-- ARGV  1 item, 2 the part of its mark after the times (traceparent, and |caller for a named caller), 3 time left to its deadline in ms,
--       4 most items that may wait, 5 wake-up channel, 6 '1' for an asynchronous request,
--       7 most items that may be before it, 8 caller, empty for callers without a name,
--       9 share of the queue that one caller may fill, 0 to 1
-- gives {outcome, items before it, itself counted when queued, deadline in unix ms or 0 when it has none, now in unix ms}
-- outcome: 0 full, 1 queued, 2 already there, 3 the caller's share is used, 4 already has a result, 5 poison,
--          6 too many items are before it, 7 too many items of its caller are
local time = now()
local caller = ARGV[8]
local own = redis.call('LLEN', list(caller))
local total, before, others = own, own, 0
local turns

-- Before the item, each other caller has at most one turn more than this caller, plus the turns that this caller is ahead because of
-- the cost of its pictures.
local function count(other, length)
    if length > 0 then
        turns = turns or turns_of(caller)
        total = total + length
        before = before + math.max(0, math.min(length, own + 1 + turns - turns_of(other)))
        others = others + 1
    end
end
if caller ~= '' then
    count('', redis.call('LLEN', KEYS[1]))
end
for _, other in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
    if other ~= '' and other ~= caller then
        count(other, redis.call('LLEN', list(other)))
    end
end

local mark = redis.call('GET', KEYS[3])
if stands(mark, time) then
    return {2, before, extend(KEYS[3], mark, time + tonumber(ARGV[3]), ARGV[6] == '1'), time}
end
if redis.call('EXISTS', KEYS[4]) == 1 then
    return {4, before, 0, time}
end
if redis.call('EXISTS', KEYS[5]) == 1 then
    return {5, before, 0, time}
end
local free = tonumber(ARGV[4]) - total
if free <= 0 then
    return {0, before, 0, time}
end
-- The share is a share of the free places, not of all: however many callers there are, each leaves room for one more.
local share = tonumber(ARGV[9])
if caller ~= '' and own * (1 - share) >= share * free then
    return {3, before, 0, time}
end
if before >= tonumber(ARGV[7]) then
    -- Is it too late because of the caller's own items, or because of others?
    return {caller ~= '' and own > 0 and others < tonumber(ARGV[7]) and 7 or 6, before, 0, time}
end
local deadline = time + tonumber(ARGV[3])
redis.call('SET', KEYS[3], whole(deadline) .. '|' .. whole(time) .. '|' .. ARGV[2], 'PX', mark_lifetime)
if mark then
    -- The item may still be in a list that has not expired because of other items.
    redis.call('LREM', list(caller_of(mark)), 1, ARGV[1])
end
redis.call('RPUSH', list(caller), ARGV[1])
redis.call('PEXPIRE', list(caller), list_lifetime)
if caller ~= '' then
    join(caller)
end
redis.call('PUBLISH', ARGV[5], '')
return {1, before + 1, deadline, time}
