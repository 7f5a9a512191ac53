-- Stores a webhook, unless the same URL is stored for this request already, too many webhooks wait, or the caller's share is used.
-- KEYS  1 due times of callers without a name, 2 callers, 3 id by URL and request, 4 the webhook, 5 the request's webhooks
-- ARGV  1 id, 2 when to check it in unix ms, 3 most pending webhooks, 4 lifetime in ms, 5 terms, 6 its digest,
--       7 caller, empty for callers without a name, 8 share of the pending webhooks that one caller may have, 0 to 1
-- gives 0 when too many wait, 1 stored, 2 known already, 3 the caller's share is used
if redis.call('EXISTS', KEYS[3]) == 1 then
    return 2
end
local free, own = tonumber(ARGV[3]), 0
for _, caller in ipairs(callers()) do
    local waiting = redis.call('ZCARD', due_of(caller))
    free = free - waiting
    if caller == ARGV[7] then
        own = waiting
    end
end
if free <= 0 then
    return 0
end
-- As in the queue: the share is one of what is free, so that one more caller always finds room.
local share = tonumber(ARGV[8])
if ARGV[7] ~= '' and own > 0 and own * (1 - share) >= share * free then
    return 3
end
local due = due_of(ARGV[7])
redis.call('SET', KEYS[3], ARGV[1], 'PX', ARGV[4])
redis.call('HSET', KEYS[4], 'terms', ARGV[5], 'digest', ARGV[6], 'attempts', '0', 'caller', ARGV[7])
redis.call('PEXPIRE', KEYS[4], ARGV[4])
redis.call('SADD', KEYS[5], ARGV[1])
redis.call('ZADD', due, ARGV[2], ARGV[1])
local shared = {due, KEYS[5]}
if ARGV[7] ~= '' then
    redis.call('SADD', KEYS[2], ARGV[7])
    shared[3] = KEYS[2]
end
for _, key in ipairs(shared) do
    if redis.call('PTTL', key) < tonumber(ARGV[4]) then
        redis.call('PEXPIRE', key, ARGV[4])
    end
end
return 1
