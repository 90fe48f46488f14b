-- Alerts by the batch, each with a fingerprint of its own, as Alertmanager's webhook or as its API takes them.
-- Arguments: shape (webhook or api), path, alerts a request, mark of the round (16 bits in hex).

local shape, path, batch, round
local count = 0
local opening, closing, first, second, third
local headers = { ["Content-Type"] = "application/json", ["User-Agent"] = "Alertmanager/0.25.0" }

function init(args)
  shape, path, batch, round = args[1], args[2], tonumber(args[3]), args[4]
  local labels = '"labels":{"alertname":"HighMemoryUsage","environment":"production","instance":"10.2.0.7:9100",'
    .. '"job":"sessions","service":"sessions","severity":"warning","pod":"sessions-'
  local annotations = '"annotations":{"description":"Resident memory of the session service is above 80 % of its budget.",'
    .. '"runbook_url":"https://runbooks.example/memory","summary":"High memory usage"},'
  local times = '"startsAt":"2024-08-12T15:15:00.123Z","endsAt":"0001-01-01T00:00:00Z",'
  local generator = '"generatorURL":"http://prometheus.example/graph?g0.expr=process_resident_memory_bytes&g0.tab=1"'
  if shape == "webhook" then
    opening = '{"receiver":"unrepeat","status":"firing","alerts":['
    closing = '],"groupLabels":{"alertname":"HighMemoryUsage"},"commonLabels":{"alertname":"HighMemoryUsage",'
      .. '"service":"sessions","severity":"warning"},"commonAnnotations":{"summary":"High memory usage"},'
      .. '"externalURL":"http://alertmanager.example","version":"4","groupKey":"{}:{alertname=\\"HighMemoryUsage\\"}",'
      .. '"truncatedAlerts":0}'
    first, second, third = '{"status":"firing",' .. labels, '"},' .. annotations .. times .. generator .. ',"fingerprint":"', '"}'
  else
    opening, closing = '[', ']'
    first, second, third = '{' .. labels, '"},' .. annotations .. '"startsAt":"2024-08-12T15:15:00.123Z",' .. generator .. '}', nil
  end
end

function request()
  local parts, n = { opening }, 1
  for i = 1, batch do
    count = count + 1
    -- spread like a hash, since real fingerprints are hashes; still one of a kind
    local id = string.format("%08x%s%04x", count * 2654435761 % 4294967296, round, count % 65536)
    if i > 1 then n = n + 1; parts[n] = "," end
    parts[n + 1], parts[n + 2], parts[n + 3] = first, id, second
    n = n + 3
    if third then parts[n + 1], parts[n + 2] = id, third; n = n + 2 end
  end
  parts[n + 1] = closing
  return wrk.format("POST", path, headers, table.concat(parts))
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format("RESULT %d %d %d %d %.0f\n", summary.requests, summary.duration, e.status,
    e.connect + e.read + e.write + e.timeout, latency:percentile(99)))
end
