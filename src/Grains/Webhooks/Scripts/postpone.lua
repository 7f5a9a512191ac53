-- Ends the claim of a webhook and sets its next due time.
-- KEYS  1 due times of its caller, 2 the webhook
-- ARGV  1 id, 2 the claim, 3 when it is due in unix ms, 4 attempts to take back, 5 wake-up channel, empty for no message
-- gives 1, or 0 when another silo holds the claim, or the request has ended meanwhile and made it due
if tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or '-1') ~= tonumber(ARGV[2]) then
    return 0
end
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
if tonumber(ARGV[4]) > 0 and redis.call('EXISTS', KEYS[2]) == 1 then
    redis.call('HINCRBY', KEYS[2], 'attempts', -tonumber(ARGV[4]))
end
if ARGV[5] ~= '' then
    redis.call('PUBLISH', ARGV[5], '')
end
return 1
