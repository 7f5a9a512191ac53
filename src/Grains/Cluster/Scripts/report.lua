-- Writes what a silo tells of itself. The first write needs no memory, so that the silos are known in a full Redis.
-- KEYS  1 reports
-- ARGV  1 silo, 2 report, 3 lifetime of the reports in ms
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
