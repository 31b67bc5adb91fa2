-- Reads the paths of a file (PATHS), one after the other from a random one on, each with a key of KEYS.
dofile(os.getenv("LUA") .. "/report.lua")
dofile(os.getenv("LUA") .. "/lines.lua")

local paths, keys = lines(os.getenv("PATHS")), lines(os.getenv("KEYS"))

function init(args)
  math.randomseed(tonumber(tostring(wrk.thread):match("0x(%x+)"), 16) % 2147483647)
end

function request()
  return wrk.format("GET", paths[math.random(#paths)], {
    ["Host"] = wrk.headers["Host"], ["Authorization"] = "Bearer " .. keys[math.random(#keys)] })
end
