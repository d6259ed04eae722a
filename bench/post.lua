-- Posts the requests of a file in turn, and says at the end what wrk saw, as one line of JSON.
-- Arguments: the file; `once` to stop at its end, else `again`; the mean pause of a connection in ms, if any.
local file, once
threads = {}

function setup(thread) table.insert(threads, thread) end

function init(args)
  file = assert(io.open(args[1], "rb"))
  once = args[2] == "once"
  if args[3] then
    local mean = tonumber(args[3])
    delay = function() return math.floor(math.random() * 2 * mean + 0.5) end
  end
end

repeated = 0
local again = false

function request()
  local length = file:read(8)
  if not length then
    if once then -- wrk itself goes on sleeping: whoever started it hears this and ends it
      io.stderr:write("end of file\n")
      io.stderr:flush()
      wrk.thread:stop()
    end
    file:seek("set")
    again = true
    length = file:read(8)
  end
  if again then repeated = repeated + 1 end
  return file:read(tonumber(length))
end

function done(summary, latency, requests)
  local count = 0
  for _, thread in ipairs(threads) do count = count + thread:get("repeated") end
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"micros":%d,"refused":%d,"broken":%d,"repeated":%d,"p50":%.3f,"p99":%.3f,"most":%.3f}\n',
    summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout, count,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency.max / 1000))
end
