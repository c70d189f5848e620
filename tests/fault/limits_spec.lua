-- Four processes of one machine that share the service's limits by a file, each sending as fast as it may; one of them
-- is killed on the way. The tenant's own clock tells how many arrived when.
-- Labels: only-lua5.4, long

local script = require "tests.spec.support.process.script"
local tenants = require "tests.spec.support.server.tenant"

local COUNT, SECONDS = 20, 2
local DURATION = 20

local PROCESS = [[
local seconds = tonumber(arg[1])
local mde = require "mde"
local posix = require "mde.posix"
local client = assert(mde.client { cap = false })
client.exchange.requests.windows = { { count = ]] .. COUNT .. [[, seconds = ]] .. SECONDS .. [[ } }
local ends, sent = posix.clock.now() + seconds, 0
while posix.clock.now() < ends do
  local machine, err = client:machine(arg[2], { timeout = math.max(0.1, ends - posix.clock.now()) })
  if machine then
    sent = sent + 1
  elseif err.kind ~= "throttled" and err.kind ~= "unavailable" then
    error(err)
  end
end
io.write(sent, "\n")
]]

describe("processes that share the limits by a file", function()
  local tenant, path

  setup(function()
    tenant = tenants.start { limits = false, latency = 0.01 }
    path = tenant.directory .. "/store"
  end)
  teardown(function() tenant.stop() end)

  it("never pass them together, and use them", function()
    local machine_id = tenant.machine { computerDnsName = "shared-1.corp.example", osPlatform = "Windows11" }
    -- What they tell of themselves is read when they have ended: a pipe that is full would hold up a send meanwhile.
    local environment = { MDE_STORE = path, MDE_LOG = "" }
    for name, value in pairs(tenant.env) do environment[name] = environment[name] or value end
    local processes = {}
    for n = 1, 4 do
      processes[n] = script.start(PROCESS, { environment = environment,
        arguments = { tostring(DURATION), machine_id } })
    end
    os.execute(("sleep 7.3; kill -9 %d"):format(processes[4].pid))
    for n = 1, 3 do
      local output, status = processes[n].finish()
      assert.equal("exit 0", status, output)
    end
    processes[4].finish()

    local times = {}
    for _, entry in ipairs(tenant.history "request") do
      if entry.path:find("/api/machines/", 1, true) then times[#times + 1] = entry.at end
    end
    table.sort(times)
    local most = 0
    for first = 1, #times do
      local last = first
      while times[last + 1] and times[last + 1] < times[first] + SECONDS do last = last + 1 end
      most = math.max(most, last - first + 1)
    end
    print(("%d calls of four processes, at most %d in any %d seconds"):format(#times, most, SECONDS))
    assert.is_true(most <= COUNT, most)
    -- Ten windows: an answer tells that the call has arrived, so nothing is added for the way.
    assert.is_true(#times >= 7 * COUNT, #times)
  end)
end)
