-- Writes an answer to a key. A key that exists and is not a hash is an error and does not change. KEYS: image key. ARGV: answer,
-- its expiry in milliseconds.
redis.call('HSET', KEYS[1], 'consultOut', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
