-- Keeps an item for one who joins those who wait for it and will come back for the answer.
-- KEYS  1 mark of the item
-- ARGV  1 time left to his deadline in ms
-- gives {deadline in unix ms, or 0 when the item neither waits nor runs, now in unix ms}
local time = now()
local mark = redis.call('GET', KEYS[1])
return {mark and extend(KEYS[1], mark, time + tonumber(ARGV[1]), true) or 0, time}
