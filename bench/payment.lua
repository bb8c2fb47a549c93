-- SPDX-License-Identifier: Apache-2.0
-- wrk: what the payment service is asked. Arguments: intent | batch FILE. TOKEN in the environment.
local kind, body

function init(args)
	kind = args[1]
	wrk.method = "POST"
	wrk.headers["Authorization"] = "Bearer " .. os.getenv("TOKEN")
	if kind == "batch" then
		local file = io.open(args[2], "rb")
		body = file:read("*a")
		file:close()
	end
end

function request()
	if kind == "batch" then
		wrk.headers["Content-Type"] = "application/json"
		return wrk.format("POST", "/v1/ledger/transfers", wrk.headers, body)
	end
	wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
	return wrk.format("POST", "/v1/payment_intents", wrk.headers,
		"amount=1250&currency=eur&payment_method=pm_card_visa&confirm=true&metadata[order]=7")
end
