-- Writes the report of a silo or the record of a model. The first write needs no memory, so that it works in a full Redis.
-- KEYS  1 reports or models
-- ARGV  1 silo or model, 2 report or record, 3 lifetime of the key in ms
-- Returns the type of an earlier value that was not a hash.
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
