-- Stores the content of a webhook, and counts its first attempt. A failure frees its URL for the next request of the same picture; a result
-- is always the same.
-- KEYS  1 due times of its caller, 2 id by URL and request, 3 the webhook, 4 the request's webhooks
-- ARGV  1 id, 2 the claim, 3 content type, 4 body, 5 whether the request failed, 0 or 1
-- gives 1, or 0 when another silo holds the claim
if tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or '-1') ~= tonumber(ARGV[2]) then
    return 0
end
redis.call('HSET', KEYS[3], 'type', ARGV[3], 'body', ARGV[4], 'attempts', '1')
redis.call('SREM', KEYS[4], ARGV[1])
if ARGV[5] == '1' and redis.call('GET', KEYS[2]) == ARGV[1] then
    redis.call('DEL', KEYS[2])
end
return 1
