-- Reads keys that must not be evicted, which moves them to the young end of the embedded server's memory.
-- KEYS  the keys
-- ARGV  1 prefix of the cluster's keys; a hash with another name is an answer to the replaced system's front end, which is not moved
-- gives {bytes that were read, answer, its bytes, its remaining ms, answer, ...}
local readers = { string = 'STRLEN', list = 'LLEN', set = 'SCARD', zset = 'ZCARD', hash = 'HLEN' }
local found = {0}
for _, key in ipairs(KEYS) do
    local kind = redis.call('TYPE', key)
    kind = type(kind) == 'table' and kind.ok or kind
    local reader = readers[kind]
    if reader then
        local bytes = redis.call('MEMORY', 'USAGE', key) or 0
        if kind == 'hash' and string.sub(key, 1, #ARGV[1]) ~= ARGV[1] then
            found[#found + 1] = key
            found[#found + 1] = bytes
            found[#found + 1] = redis.call('PTTL', key)
        else
            redis.call(reader, key)
            found[1] = found[1] + bytes
        end
    end
end
return found
