-- Whose webhooks stand where; stands before the scripts that need it.
-- KEYS  1 due times of nobody in particular, 2 callers
-- A named caller's due times have its name behind that key, and while they hold anything it stands among the callers.
local function due_of(caller)
    return caller == '' and KEYS[1] or KEYS[1] .. ':' .. caller
end

-- All callers, nobody in particular among them. A caller of whom nothing waits any more is forgotten.
local function callers()
    local all = {''}
    for _, caller in ipairs(redis.call('SMEMBERS', KEYS[2])) do
        if redis.call('EXISTS', due_of(caller)) == 1 then
            all[#all + 1] = caller
        else
            redis.call('SREM', KEYS[2], caller)
        end
    end
    return all
end
