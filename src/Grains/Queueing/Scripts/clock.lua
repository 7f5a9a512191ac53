-- The clock of deadlines. Clocks of silos differ; all use that of Redis.
-- Gives unix ms.
local function now()
    local time = redis.call('TIME')
    return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
