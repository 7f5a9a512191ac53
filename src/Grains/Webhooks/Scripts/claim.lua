-- Claims webhooks that are due: each time one of the caller with the fewest deliveries in progress, and none of a caller whose share of the
-- places is used. A claim moves the due time: if the silo that holds it dies, the webhook is due again. An attempt is counted for each
-- webhook whose body is written.
-- KEYS  1 due times of callers without a name, 2 callers
-- ARGV  1 now in unix ms, 2 end of the claim in unix ms, 3 free places, 4 prefix of the webhooks,
--       5 share of the places that one caller may hold, 0 to 1, then each caller that holds places and their number
-- gives {number of pending webhooks, when the next is due or -1, then per webhook: id, terms, attempts, content type, body}, the last two empty
--       until the request has ended. A caller that must wait for a place of its own counts as having nothing due.
local claimed = {0, -1}
local free, share = tonumber(ARGV[3]), tonumber(ARGV[5])
local held = {}
for i = 6, #ARGV, 2 do
    held[ARGV[i]] = tonumber(ARGV[i + 1])
end

local all, idle, limited = callers(), {}, {}
local function next_caller()
    local best
    for _, caller in ipairs(all) do
        local own = held[caller] or 0
        if not idle[caller] and caller ~= '' and own > 0 and own * (1 - share) >= share * free then
            limited[caller] = true
        elseif not idle[caller] and (not best or own < (held[best] or 0)) then
            if redis.call('ZCOUNT', due_of(caller), '-inf', ARGV[1]) > 0 then
                best = caller
            else
                idle[caller] = true
            end
        end
    end
    return best
end

while free > 0 do
    local caller = next_caller()
    if not caller then
        break
    end
    local due = due_of(caller)
    local id = redis.call('ZRANGEBYSCORE', due, '-inf', ARGV[1], 'LIMIT', 0, 1)[1]
    local key = ARGV[4] .. id
    local terms = redis.call('HGET', key, 'terms')
    if terms then
        local attempts = 0
        local body = redis.call('HGET', key, 'body')
        if body then
            attempts = redis.call('HINCRBY', key, 'attempts', 1)
        end
        redis.call('ZADD', due, ARGV[2], id)
        claimed[#claimed + 1] = id
        claimed[#claimed + 1] = terms
        claimed[#claimed + 1] = attempts
        claimed[#claimed + 1] = redis.call('HGET', key, 'type') or ''
        claimed[#claimed + 1] = body or ''
        free = free - 1
        held[caller] = (held[caller] or 0) + 1
    else
        redis.call('ZREM', due, id)
    end
end

for _, caller in ipairs(all) do
    claimed[1] = claimed[1] + redis.call('ZCARD', due_of(caller))
    local first = tonumber(redis.call('ZRANGE', due_of(caller), 0, 0, 'WITHSCORES')[2])
    if first and not limited[caller] and (tonumber(claimed[2]) < 0 or first < tonumber(claimed[2])) then
        claimed[2] = string.format('%.0f', first)
    end
end
return claimed
