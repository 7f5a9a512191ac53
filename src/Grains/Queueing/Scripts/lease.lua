-- Takes or renews the lease of a batcher.
-- KEYS  1 lease, 2 batchers
-- ARGV  1 batcher, 2 lifetime in ms, 3 'new' to take, 'renew' to keep
-- gives 1 when held, 0 when it had expired
if ARGV[3] == 'renew' and redis.call('EXISTS', KEYS[1]) == 0 then
    return 0
end

-- The first write may not need memory, so that leases are renewed while Redis is full.
redis.call('PEXPIRE', KEYS[2], 3600000)
redis.call('SADD', KEYS[2], ARGV[1])
redis.call('PEXPIRE', KEYS[2], 3600000)
redis.call('SET', KEYS[1], '1', 'PX', ARGV[2])
return 1
