-- Delivers the events of a file (EVENTS: signature, tab, body), each once, shared among the threads; or, with ONE=1, the
-- first of them again and again.
dofile(os.getenv("LUA") .. "/report.lua")
dofile(os.getenv("LUA") .. "/lines.lua")

local events, only_one = lines(os.getenv("EVENTS")), os.getenv("ONE") == "1"
local threads, number = 0, 0

function setup(thread)
  thread:set("first", threads)
  threads = threads + 1
  thread:set("step", tonumber(os.getenv("THREADS")))
end

function init(args) number = first end

function request()
  local line = events[only_one and 1 or (number % #events) + 1]
  number = number + step
  local signature, body = line:match("^([^\t]*)\t(.*)$")
  return wrk.format("POST", "/webhooks/stripe", {
    ["Host"] = wrk.headers["Host"], ["Content-Type"] = "application/json", ["Stripe-Signature"] = signature }, body)
end
