-- The webhooks of each caller. This file is put in front of the scripts that need it.
-- KEYS  1 due times of callers without a name, 2 callers
-- The key of a named caller's due times has the name appended. While the caller has webhooks, it is in the set of callers.
local function due_of(caller)
    return caller == '' and KEYS[1] or KEYS[1] .. ':' .. caller
end

-- All callers, and '' for those without a name. A caller without waiting webhooks is removed from the set.
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
