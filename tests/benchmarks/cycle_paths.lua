-- For wrk: asks for the addresses of the file $BENCH_PATHS in turn, each thread from another place of it, with the header
-- $BENCH_HEADER ("Name: value") where it is set, and prints one line of JSON at the end.
local paths, position = {}, 0
local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init()
  for line in io.lines(os.getenv("BENCH_PATHS")) do
    paths[#paths + 1] = line
  end
  position = number * math.floor(#paths / 2)
  local header = os.getenv("BENCH_HEADER")
  if header then
    local name, value = header:match("^(.-): (.*)$")
    wrk.headers[name] = value
  end
end

function request()
  position = position % #paths + 1
  return wrk.format("GET", paths[position])
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nJSON {"requests":%d,"seconds":%.4f,"bytes":%.0f,"p50_ms":%.3f,"p99_ms":%.3f,"broken":%d,"refused":%d}\n',
    summary.requests, summary.duration / 1e6, summary.bytes, latency:percentile(50) / 1000,
    latency:percentile(99) / 1000, errors.connect + errors.read + errors.write + errors.timeout, errors.status))
end
