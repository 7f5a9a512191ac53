-- Charges turns to callers whose pictures cost more than one. Callers without a name owe turns only if other callers have a name.
-- KEYS  1 queue, 2 callers
-- ARGV  1 lifetime of a debt in ms, then per caller: caller, turns
redis.call('PEXPIRE', KEYS[2], list_lifetime)
for i = 2, #ARGV, 2 do
    if ARGV[i] ~= '' or redis.call('EXISTS', KEYS[2]) == 1 then
        charge(ARGV[i], ARGV[i + 1], ARGV[1])
    end
end
