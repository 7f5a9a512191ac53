-- Ends items that a batcher still holds: writes their results and removes the items and their marks. Other items are not changed.
-- KEYS  1 queue, 2 callers, 3 in-flight list, 4 attempts, 5 answers to the batcher's last settles, then per item: its mark, its result
-- ARGV  1 lifetime of a result in ms, 2 number of this settle, 3 '1' when it is repeated, 4 lifetime of the answers in ms,
--       5 wake-up channel, then per item: item, result (empty for none), and for an item that ends only if its deadline was not extended:
--       the deadline that the batcher knows in unix ms, 0 for now
-- gives per item: 1 settled, 0 not held any more, 2 returned to the queue because its deadline was extended meanwhile
local slot = tonumber(ARGV[2]) % 64
local settled = {}
if ARGV[3] == '1' then
    local number, answers = string.match(redis.call('HGET', KEYS[5], slot) or '', '^(%d+)|(%d+)$')
    if number == ARGV[2] then
        for i = 1, #answers do
            settled[i] = tonumber(string.sub(answers, i, i))
        end
        return settled
    end
end

local time = now()
local returned = false
local n = (#ARGV - 5) / 3
for i = 1, n do
    local item, result = ARGV[3 * i + 3], ARGV[3 * i + 4]
    local mark_key, result_key = KEYS[2 * i + 4], KEYS[2 * i + 5]
    settled[i] = 0
    if redis.call('LREM', KEYS[3], 1, item) == 1 then
        local known = tonumber(ARGV[3 * i + 5])
        local mark = known and redis.call('GET', mark_key)
        if mark and deadline_of(mark) > (known == 0 and time or known) then
            give_back(item, mark_key)
            returned = true
            settled[i] = 2
        else
            if result ~= '' then
                redis.call('SET', result_key, result, 'PX', ARGV[1])
            end
            redis.call('DEL', mark_key)
            redis.call('HDEL', KEYS[4], item, 'on:' .. item)
            settled[i] = 1
        end
    end
end
redis.call('HSET', KEYS[5], slot, ARGV[2] .. '|' .. table.concat(settled))
redis.call('PEXPIRE', KEYS[5], ARGV[4])
if returned then
    redis.call('PUBLISH', ARGV[5], '')
end
return settled
