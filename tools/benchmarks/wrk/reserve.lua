-- Reserves one place on a random slot of a file (SLOTS), each time with a new Idempotency-Key, as one of many clients.
dofile(os.getenv("LUA") .. "/report.lua")
dofile(os.getenv("LUA") .. "/lines.lua")

local slots, keys, path = lines(os.getenv("SLOTS")), lines(os.getenv("KEYS")), os.getenv("TARGET")
local prefix, number = "", 0

function init(args)
  local seed = tonumber(tostring(wrk.thread):match("0x(%x+)"), 16) + os.time() * 1000
  math.randomseed(seed % 2147483647)
  prefix = string.format("%x-%d", seed, math.random(1e9))
end

function request()
  number = number + 1
  local body = string.format('{"slot_id": "%s", "units": [{"unit": "adult", "quantity": 1}], ' ..
    '"customer": {"name": "Ana Souza", "email": "ana@example.com"}, ' ..
    '"payment": {"provider": "stripe", "payment_method_id": "pm_card_visa"}}', slots[math.random(#slots)])
  return wrk.format("POST", path, {
    ["Host"] = wrk.headers["Host"], ["Content-Type"] = "application/json",
    ["Authorization"] = "Bearer " .. keys[math.random(#keys)],
    ["Idempotency-Key"] = prefix .. "-" .. number }, body)
end
