-- Puts an item at the tail of the queue, unless it already waits or runs, or the queue is too long.
-- KEYS  1 queue, 2 mark of the item
-- ARGV  1 item, 2 mark (deadline|enqueued|traceparent), 3 lifetime of the mark in ms,
--       4 most items that may wait, 5 wake-up channel, 6 deadline in unix ms
-- gives {outcome, length}: 0 full, 1 queued, 2 was there already
local mark = redis.call('GET', KEYS[2])
local length = redis.call('LLEN', KEYS[1])
if mark then
    -- Whoever joins may wait longer than whoever came first.
    local deadline = string.match(mark, '^(%d+)|')
    if deadline and tonumber(deadline) < tonumber(ARGV[6]) then
        redis.call('SET', KEYS[2], ARGV[6] .. string.sub(mark, #deadline + 1), 'PX', ARGV[3])
    end
    return {2, length}
end
if length >= tonumber(ARGV[4]) then
    return {0, length}
end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], 3600000)
redis.call('PUBLISH', ARGV[5], '')
return {1, length + 1}
