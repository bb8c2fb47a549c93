-- SPDX-License-Identifier: Apache-2.0
-- Events for bench/analytics.py: KEY and a shape, batch (100 in a request, of 50,000 persons) or one (one in a request).
local key, count = "", 100
local at, names = 0, { "view", "view", "view", "cart", "paid" }
local rows = {}

function init(args)
   key = args[1]
   count = args[2] == "one" and 1 or 100
   math.randomseed(os.time())
   base = math.random(1, 2 ^ 30)
   wrk.method = "POST"
   wrk.headers["Authorization"] = "Bearer " .. key
end

function request()
   for i = 1, count do
      at = at + 1
      rows[i] = string.format(
         '{"id":"%08x-%d","event":"%s","distinct_id":"person %d","properties":{"path":"/products/%d","plan":"%s","amount":%d.5,"country":"de"}}',
         base, at, names[at % 5 + 1], at * 7919 % 50000, at % 997, at % 10 == 0 and "pro" or "free", at % 250)
   end
   return wrk.format(nil, "/v1/events?problems=true", nil, table.concat(rows, "\n", 1, count))
end
