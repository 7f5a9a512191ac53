-- Removes a result that cannot be read, unless it has been replaced meanwhile.
-- KEYS  1 result
-- ARGV  1 the value that was read
if redis.call('GET', KEYS[1]) == ARGV[1] then
    redis.call('DEL', KEYS[1])
end
