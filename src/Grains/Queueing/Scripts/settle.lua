-- Ends items that a batcher still holds: publishes their results and forgets them. What it no longer holds is left alone.
-- KEYS  1 in-flight list, 2 attempts, then per item: its mark, its result
-- ARGV  1 lifetime of a result in ms, then per item: item, result (empty for none)
-- gives per item: 1 settled, 0 not held any more
local settled = {}
local n = (#ARGV - 1) / 2
for i = 1, n do
    local item = ARGV[2 * i]
    local result = ARGV[2 * i + 1]
    if redis.call('LREM', KEYS[1], 1, item) == 1 then
        if result ~= '' then
            redis.call('SET', KEYS[2 * i + 2], result, 'PX', ARGV[1])
        end
        redis.call('DEL', KEYS[2 * i + 1])
        redis.call('HDEL', KEYS[2], item)
        settled[i] = 1
    else
        settled[i] = 0
    end
end
return settled
