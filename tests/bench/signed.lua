-- wrk: hands out every ready request of a file once, a part of the file to each thread.
--   wrk -s signed.lua URL -- FILE SIZE COUNT THREADS once|again
-- The requests are of one size (tests/tools/post --emit).  Behind the last one a
-- thread stops, or starts again where the server does not look at ids.

local threads = 0

function setup(thread)
	thread:set("number", threads)
	threads = threads + 1
end

function init(arguments)
	file = assert(io.open(arguments[1], "rb"))
	size = tonumber(arguments[2])
	share = math.floor(tonumber(arguments[3]) / tonumber(arguments[4]))
	again = arguments[5] == "again"
	begin()
end

function begin()
	file:seek("set", number * share * size)
	left = share
end

function request()
	if left == 0 then
		if not again then
			wrk.thread:stop()
			-- Whatever is sent now is the last one once more: known by its id.
			file:seek("cur", -size)
			left = 1
		else
			begin()
		end
	end
	left = left - 1
	return file:read(size)
end

function done(summary, latency)
	io.write(string.format(
		"figures requests=%d microseconds=%d p50=%d p99=%d max=%d not_2xx=%d broken=%d\n",
		summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
		latency.max, summary.errors.status,
		summary.errors.connect + summary.errors.read + summary.errors.write
			+ summary.errors.timeout))
end
