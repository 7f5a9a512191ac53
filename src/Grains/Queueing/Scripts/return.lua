-- A device failed on items that its batcher holds: returns them to the heads of the callers' lists, in their old order, and counts an
-- attempt. Items with too many attempts become dead letters. Unlike poison they are not refused later: the devices may have been at fault.
-- The first failure of an item on a sick device counts no attempt, so that many devices that fail at once make no dead letter of an item that
-- another device can run. At most 16 devices are recorded for an item, so that an item that makes devices sick becomes a dead letter, too.
-- KEYS  1 queue, 2 callers, 3 in-flight list, 4 attempts, 5 dead letters
-- ARGV  1 prefix of the items' marks, 2 wake-up channel, 3 most attempts, 4 lifetime of attempts in ms, 5 most dead letters,
--       6 lifetime of dead letters in ms, 7 device, 8 whether it also fails on other pictures, 0 or 1, then items
-- gives per item: 0 not held any more, 1 returned, 2 dead letter
local outcome = {}
local returned = false
local time = whole(now())

-- The devices that failed on an item, and whether this one is new among them.
local function note(item)
    local devices = redis.call('HGET', KEYS[4], 'on:' .. item) or ''
    local count = select(2, string.gsub(devices, '\n', ''))
    if count >= 16 or string.find('\n' .. devices, '\n' .. ARGV[7] .. '\n', 1, true) then
        return false
    end
    redis.call('HSET', KEYS[4], 'on:' .. item, devices .. ARGV[7] .. '\n')
    return true
end

for i = #ARGV, 9, -1 do
    local item = ARGV[i]
    if redis.call('LREM', KEYS[3], 1, item) == 0 then
        outcome[i - 8] = 0
    elseif not (note(item) and ARGV[8] == '1') and redis.call('HINCRBY', KEYS[4], item, 1) >= tonumber(ARGV[3]) then
        redis.call('HDEL', KEYS[4], item, 'on:' .. item)
        redis.call('DEL', ARGV[1] .. item)
        redis.call('LPUSH', KEYS[5], item .. '|device|' .. ARGV[3] .. '|' .. time)
        redis.call('LTRIM', KEYS[5], 0, tonumber(ARGV[5]) - 1)
        redis.call('PEXPIRE', KEYS[5], ARGV[6])
        outcome[i - 8] = 2
    else
        give_back(item, ARGV[1] .. item)
        returned = true
        outcome[i - 8] = 1
    end
end
redis.call('PEXPIRE', KEYS[4], ARGV[4])
if returned then
    redis.call('PUBLISH', ARGV[2], '')
end
return outcome
