-- Takes on a webhook, unless its URL is told of this request already or too many wait.
-- KEYS  1 due times, 2 id by URL and request, 3 the webhook, 4 the request's webhooks
-- ARGV  1 id, 2 when to look at it in unix ms, 3 most that may wait, 4 lifetime in ms, 5 terms, 6 its digest
-- gives 0 when too many wait, 1 taken on, 2 known already
if redis.call('EXISTS', KEYS[2]) == 1 then
    return 2
end
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then
    return 0
end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[4])
redis.call('HSET', KEYS[3], 'terms', ARGV[5], 'digest', ARGV[6], 'attempts', '0')
redis.call('PEXPIRE', KEYS[3], ARGV[4])
redis.call('SADD', KEYS[4], ARGV[1])
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
for _, key in ipairs({KEYS[1], KEYS[4]}) do
    if redis.call('PTTL', key) < tonumber(ARGV[4]) then
        redis.call('PEXPIRE', key, ARGV[4])
    end
end
return 1
