-- The benchmark's side of mde: restricts many machines and prints seconds of wall time, seconds of CPU
-- time, and requests per action.
--
-- usage: client.lua BASE CA-FILE COUNT PARALLEL wire|look|memory
--
-- wire: look = false, so that an action is one request. look: the default. memory: look = false, with a
-- driver that answers at once in the same process, which leaves everything but the transfer. Nothing is
-- guarded: no record is read for it, and there are more machines than a cap would let pass.

local cqueues = require "cqueues"
local mde = require "mde"

local base, ca_file = arg[1], arg[2]
local count, parallel, mode = tonumber(arg[3]), tonumber(arg[4]), arg[5]

-- ---- the driver that has no wire

local ACTION = [[{"@odata.context":"https://localhost/api/$metadata#MachineActions/$entity",]]
  .. [["id":"00000000-0000-4000-8000-00000000000a","type":"RestrictCodeExecution","title":null,]]
  .. [["requestor":"bench","requestorComment":%s,"status":"Pending","machineId":"%s",]]
  .. [["computerDnsName":"bench.corp.example","creationDateTimeUtc":"%s",]]
  .. [["lastUpdateDateTimeUtc":"%s","cancellationRequestor":null,"cancellationComment":null,]]
  .. [["cancellationDateTimeUtc":null,"errorHResult":0,"scope":null,"externalId":null,]]
  .. [["requestSource":"PublicApi","relatedFileInfo":null,"commands":[],"troubleshootInfo":null}]]
local TOKEN = [[{"token_type":"Bearer","expires_in":3599,"access_token":"%s"}]]

local memory = {}

function memory.send(request)
  local headers = { ["content-type"] = "application/json" }
  if request.url:find("/oauth2/", 1, true) then
    return { status = 200, headers = headers, body = TOKEN:format(("benchmark."):rep(140)) }
  end
  local machine = request.url:match "/machines/(%x+)/"
  local comment = request.body:match '"Comment":(".*")'
  local time = os.date "!%Y-%m-%dT%H:%M:%S.0000000Z"
  return { status = 201, headers = headers, body = ACTION:format(comment, machine, time, time) }
end

-- ---- the measurement

local client = mde.client {
  tenant_id = "00000000-0000-4000-8000-000000000001",
  client_id = "00000000-0000-4000-8000-000000000002",
  credential = "not a real secret",
  authority = base,
  base_url = base,
  ca_file = mode ~= "memory" and ca_file or nil,
  driver = mode == "memory" and memory or nil,
  protect = { servers = false, device_values = {} },
  cap = false,
  limits = false,
}
local options = { look = mode == "look" and nil }
if mode ~= "look" then options.look = false end

local machine = 0
local function restrict_next()
  machine = machine + 1
  local action, err = client:restrict(("%040x"):format(machine), "benchmark of one action", options)
  if not action then error(err, 0) end
end

local function restrict_many(n)
  if parallel == 1 then
    for _ = 1, n do restrict_next() end
    return
  end
  local numbers = {}
  for i = 1, n do numbers[i] = i end
  local results = client:each(numbers, restrict_next, { parallel = parallel })
  if results.failed > 0 then
    for _, result in ipairs(results) do
      if result.err then error(result.err, 0) end
    end
  end
end

restrict_many(math.max(math.floor(count / 10), parallel))
collectgarbage()
local wall, cpu = cqueues.monotime(), os.clock()
restrict_many(count)
print(("%.6f %.6f"):format(cqueues.monotime() - wall, os.clock() - cpu))
