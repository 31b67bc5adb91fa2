-- Reads random paths of a file (PATHS), each with a random key of KEYS, or with the cookies of COOKIE.
dofile(os.getenv("LUA") .. "/report.lua")
dofile(os.getenv("LUA") .. "/lines.lua")

local paths, cookie = lines(os.getenv("PATHS")), os.getenv("COOKIE")
local keys = cookie and {} or lines(os.getenv("KEYS"))

function init(args)
  math.randomseed(tonumber(tostring(wrk.thread):match("0x(%x+)"), 16) % 2147483647)
end

function request()
  local headers = { ["Host"] = wrk.headers["Host"] }
  if cookie then headers["Cookie"] = cookie else headers["Authorization"] = "Bearer " .. keys[math.random(#keys)] end
  return wrk.format("GET", paths[math.random(#paths)], headers)
end
