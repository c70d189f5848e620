-- A tenant of 25,000 machines over TLS, which lists them in another order each time, while machines report and
-- new ones appear between two pages: everything that was there at the beginning is seen exactly once.
-- Labels: only-lua5.4, long
local script = require "tests.spec.support.process.script"
local sim = require "mde.sim"
local tenants = require "tests.spec.support.server.tenant"

local COUNT = 25000

-- Runs by itself, so that its memory is the client's alone: counts what comes and writes down each id.
local program = [[
local mde = require "mde"
local client = assert(mde.client {})
local file = assert(io.open(arg[1], "w"))
local count, most = 0, 0
for machine in client:machines(arg[2]) do
  count = count + 1
  file:write(machine.id, "\n")
  if count % 500 == 0 then most = math.max(most, collectgarbage "count") end
end
file:close()
local peak = 0
for line in io.lines "/proc/self/status" do peak = tonumber(line:match "^VmHWM:%s+(%d+)") or peak end
print(("%d machines, %.0f MB resident at the most, %.0f MB of them Lua's"):format(count, peak / 1024, most / 1024))
]]

-- The ids of the machines that a tenant of this size begins with, which are the same each time.
local function known_ids()
  local ids = {}
  for _, machine in ipairs(sim.new({ fleet = { count = COUNT } }).machines) do ids[machine.id] = true end
  return ids
end

describe("25,000 machines over TLS", function()
  local tenant, ids_file

  setup(function()
    tenant = tenants.start { "--machines", tostring(COUNT), limits = false }
    ids_file = tenant.directory .. "/ids"
  end)
  teardown(function() tenant.stop() end)
  before_each(function()
    tenant.reset()
    tenant.clear()
  end)

  -- Runs the program and reads what it wrote: how often each id came.
  local function run(query)
    local environment = { SSL_CERT_FILE = tenant.ca_file }
    for name, value in pairs(tenant.env) do environment[name] = value end
    local output, status = script.run(program, { environment = environment, arguments = { ids_file, query },
      build = os.getenv "MDE_BUILD" or "./build" })
    local times = {}
    for id in io.lines(ids_file) do times[id] = (times[id] or 0) + 1 end
    return times, output, status
  end

  local function requests()
    local count = 0
    for _, entry in ipairs(tenant.history "request") do
      if entry.path:find("/api/machines", 1, true) then count = count + 1 end
    end
    return count
  end

  it("are each seen once while the tenant reshuffles and grows, and a page is lost on its way", function()
    tenant.set { lists = { order = "reshuffled", churn = { added = 50, seen = 500 } } }
    tenant.fault { match = { path = "/machines?", nth = 4 }, fault = "cut", at = "half" }
    local times, output, status = run "all"
    assert.equal("exit 0", status, output)
    local missed, repeated = 0, 0
    for id in pairs(known_ids()) do
      if not times[id] then missed = missed + 1 end
    end
    for _, count in pairs(times) do
      if count ~= 1 then repeated = repeated + 1 end
    end
    assert.same({ missed = 0, repeated = 0 }, { missed = missed, repeated = repeated })
    assert.truthy(#tenant.history "machine_added" > 0)
    print(("\n25,000 machines over TLS in %d requests: %s"):format(requests(), (output:gsub("\n$", ""))))
  end)

  it("are an error that says so where the same page comes for ever", function()
    local page = {}
    for i = 1, 10000 do page[i] = ('{"id":"%040x","lastSeen":"2026-02-02T02:40:00Z"}'):format(i) end
    tenant.fault { match = { path = "/machines?" }, fault = "answer", count = false,
      body = '{"value":[' .. table.concat(page, ",") .. "]}" }
    local times, output, status = run "all"
    assert.equal("exit 1", status)
    assert.truthy(output:find("the service may be repeating a page", 1, true), output)
    assert.equal(1, times[("%040x"):format(10000)])
    assert.equal(2, requests())
  end)
end)
