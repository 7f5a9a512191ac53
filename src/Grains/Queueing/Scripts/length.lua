-- KEYS  1 queue, 2 callers
-- gives the number of items that wait
return waiting()
