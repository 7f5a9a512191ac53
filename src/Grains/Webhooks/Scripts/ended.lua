-- A request has ended: its webhooks are due now. A webhook whose body is written is being delivered already.
-- KEYS  1 due times of callers without a name, 2 callers, 3 the request's webhooks
-- ARGV  1 now in unix ms, 2 prefix of the webhooks, 3 wake-up channel
-- gives how many
local due = 0
for _, id in ipairs(redis.call('SMEMBERS', KEYS[3])) do
    local key = ARGV[2] .. id
    if redis.call('EXISTS', key) == 1 and redis.call('HEXISTS', key, 'body') == 0 then
        redis.call('ZADD', due_of(redis.call('HGET', key, 'caller') or ''), 'XX', ARGV[1], id)
        due = due + 1
    end
end
redis.call('DEL', KEYS[3])
if due > 0 then
    redis.call('PUBLISH', ARGV[3], '')
end
return due
