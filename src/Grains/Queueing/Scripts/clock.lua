-- The clock of deadlines. Clocks of silos differ; Redis' is the one that all share.
-- Gives unix ms.
local function now()
    local time = redis.call('TIME')
    return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
