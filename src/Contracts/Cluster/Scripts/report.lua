-- Writes what a silo tells of itself or of a model. The first write needs no memory, so that they are known in a full Redis.
-- KEYS  1 reports or models
-- ARGV  1 silo or model, 2 what it tells, 3 lifetime of the key in ms
-- Returns the type of what stood there, if it was no hash.
local kind = redis.call('TYPE', KEYS[1])
kind = kind.ok or kind
local replaced = false
if kind ~= 'hash' and kind ~= 'none' then
    redis.call('DEL', KEYS[1])
    replaced = kind
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return replaced
