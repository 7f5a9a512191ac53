-- Ends a webhook, delivered or not.
-- KEYS  1 due times of its caller, 2 id by URL and request, 3 the webhook, 4 the request's webhooks
-- ARGV  1 id, 2 the claim, empty for any claim, 3 how long its URL stays known for this request in ms, 0 for not at all
-- gives 1, or 0 when it had ended already or another silo holds the claim
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not score or (ARGV[2] ~= '' and tonumber(score) ~= tonumber(ARGV[2])) then
    return 0
end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('DEL', KEYS[3])
redis.call('SREM', KEYS[4], ARGV[1])
if redis.call('GET', KEYS[2]) == ARGV[1] then
    if tonumber(ARGV[3]) > 0 then
        redis.call('PEXPIRE', KEYS[2], ARGV[3])
    else
        redis.call('DEL', KEYS[2])
    end
end
return 1
