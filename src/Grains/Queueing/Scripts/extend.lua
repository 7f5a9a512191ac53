-- Keeps an item for an asynchronous caller that joins.
-- KEYS  1 mark of the item
-- ARGV  1 time left to the deadline of this caller in ms
-- gives {deadline in unix ms, or 0 when the item neither waits nor is processed, now in unix ms}
local time = now()
local mark = redis.call('GET', KEYS[1])
return {mark and extend(KEYS[1], mark, time + tonumber(ARGV[1]), true) or 0, time}
