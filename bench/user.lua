-- SPDX-License-Identifier: Apache-2.0
-- wrk: reads of users by id. Arguments: even COUNT | sessions COUNT | zipf COUNT. TOKEN in the environment. zipf: drawn by Zipf, with
-- exponent 1, one in a hundred a change.
local kind, count, sum, steps = "even", 1, 0, {}

function init(args)
	kind, count = args[1], tonumber(args[2])
	math.randomseed(tonumber(args[3] or 1))
	if kind == "zipf" then
		for i = 1, count do
			sum = sum + 1 / i
			steps[i] = sum
		end
	end
end

local function pick()
	if kind ~= "zipf" then
		return math.random(count)
	end
	local wanted, low, high = math.random() * sum, 1, count
	while low < high do
		local middle = math.floor((low + high) / 2)
		if steps[middle] < wanted then
			low = middle + 1
		else
			high = middle
		end
	end
	return low
end

local next_one = 0
function request()
	if kind == "sessions" then -- one after the other, each with a token of its own
		next_one = next_one % count + 1
		wrk.headers["Authorization"] = string.format("Bearer session-%035d", next_one)
		return wrk.format("GET", "/v1/me")
	end
	local path = string.format("/v1/users/usr_018f3c1e-7a4b-7000-8000-%012x", pick())
	wrk.headers["Authorization"] = "Bearer " .. os.getenv("TOKEN")
	wrk.headers["Content-Type"] = "application/json"
	if kind == "zipf" and math.random(100) == 1 then
		return wrk.format("PATCH", path, wrk.headers, '{"locale":"de"}')
	end
	return wrk.format("GET", path)
end
