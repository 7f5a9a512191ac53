-- Removes a picture that no accepted request needs.
-- KEYS  1 picture
-- ARGV  1 in ms: of an accepted request it has more time left than this
local left = redis.call('PTTL', KEYS[1])
if left >= 0 and left <= tonumber(ARGV[1]) then
    redis.call('DEL', KEYS[1])
end
