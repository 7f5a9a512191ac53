-- Answers under a key, which must be a hash or new: anything else is an error and stays as it is. KEYS: image key. ARGV: answer,
-- its life in milliseconds.
redis.call('HSET', KEYS[1], 'consultOut', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
