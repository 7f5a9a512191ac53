-- Takes webhooks that are due. A claim is the new due time: when whoever holds it dies, they are due again. An attempt is counted for
-- each whose body is written.
-- KEYS  1 due times
-- ARGV  1 now in unix ms, 2 until when they are claimed in unix ms, 3 most, 4 prefix of the webhooks
-- gives {number that wait, when the next is due or -1, then per webhook: id, terms, attempts, content type, body}, the last two empty
--       until the request has ended
local claimed = {0, -1}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])) do
    local key = ARGV[4] .. id
    local terms = redis.call('HGET', key, 'terms')
    if terms then
        local attempts = 0
        local body = redis.call('HGET', key, 'body')
        if body then
            attempts = redis.call('HINCRBY', key, 'attempts', 1)
        end
        redis.call('ZADD', KEYS[1], ARGV[2], id)
        claimed[#claimed + 1] = id
        claimed[#claimed + 1] = terms
        claimed[#claimed + 1] = attempts
        claimed[#claimed + 1] = redis.call('HGET', key, 'type') or ''
        claimed[#claimed + 1] = body or ''
    else
        redis.call('ZREM', KEYS[1], id)
    end
end
claimed[1] = redis.call('ZCARD', KEYS[1])
local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if first[2] then
    claimed[2] = first[2]
end
return claimed
