-- A batcher ends in order: what it holds goes back to the head of the queue, with no attempt counted.
-- KEYS  1 queue, 2 in-flight list, 3 lease, 4 batchers
-- ARGV  1 batcher, 2 wake-up channel
-- gives the number of items returned
local returned = 0
while redis.call('LLEN', KEYS[2]) > 0 do
    redis.call('LMOVE', KEYS[2], KEYS[1], 'RIGHT', 'LEFT')
    returned = returned + 1
end
redis.call('DEL', KEYS[3])
redis.call('SREM', KEYS[4], ARGV[1])
if returned > 0 then
    redis.call('PEXPIRE', KEYS[1], 3600000)
    redis.call('PUBLISH', ARGV[2], '')
end
return returned
