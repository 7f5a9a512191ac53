-- Writes what a silo tells of itself or of a model. The first write needs no memory, so that they are known in a full Redis.
-- KEYS  1 reports or models
-- ARGV  1 silo or model, 2 what it tells, 3 lifetime of the key in ms
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
