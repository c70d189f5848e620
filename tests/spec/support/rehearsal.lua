-- A client and a simulated tenant in the same process, on a made-up clock, and what a test asks of them.
--
--   local r = rehearsal.new { machines = { { computerDnsName = "a.corp.example" } }, client = { timeout = 60 } }
--   r:fault { match = { method = "POST" }, fault = "gone" }
--   local action, err = r.client:restrict("a", "why")
--   assert.same({ "restrictCodeExecution" }, r:posts())

require "tests.spec.support.codes"

local clients = require "mde.client"
local errors = require "mde.base.error"
local json = require "mde.sim.base.json"
local sim = require "mde.sim"

---@class tests.Rehearsal
---@field tenant table
---@field driver table
---@field client mde.Client
local Rehearsal = {}
Rehearsal.__index = Rehearsal

local rehearsal = { null = json.null }

local own = { client = true, latency = true, sequential = true, unguarded = true }

--- Options of a client that protects nothing and has no cap, so that a restrict is one request, or two with a look.
rehearsal.unguarded = { protect = { servers = false, device_values = {} }, cap = false }

--- Options of the tenant (see mde.sim), `client` (options of the client), `latency` and `sequential` (the driver
--- has neither tasks nor gates) and `unguarded` (the client protects nothing and has no cap). Where the tenant has no
--- limits, the client counts no calls. How the tenant compares text, unless told, is in MDE_TEST_COMPARISON.
---@param options table?
---@return tests.Rehearsal
function rehearsal.new(options)
  local of_tenant, of_client = {}, {}
  for name, value in pairs(options or {}) do
    if not own[name] then of_tenant[name] = value end
  end
  of_tenant.comparison = of_tenant.comparison or os.getenv "MDE_TEST_COMPARISON"
  local self = setmetatable({ tenant = sim.new(of_tenant) }, Rehearsal)
  self.driver = self.tenant:driver { latency = options and options.latency or nil }
  if options and options.sequential then self.driver.spawn, self.driver.gate = nil, nil end
  for name, value in pairs(options and options.unguarded and rehearsal.unguarded or {}) do of_client[name] = value end
  for name, value in pairs(options and options.client or {}) do of_client[name] = value end
  if of_tenant.limits == false and of_client.limits == nil then of_client.limits = false end
  of_client.tenant_id, of_client.client_id = self.tenant.tenant_id, self.tenant.client_id
  of_client.credential = of_client.credential or self.tenant.client_secret
  of_client.driver = of_client.driver or self.driver
  self.client = assert(clients.new(of_client))
  return self
end

---@param rule table see mde/sim/faults.lua
function Rehearsal:fault(rule)
  self.tenant.faults:add(rule)
end

--- An answer of the service's making up.
---@param match table
---@param status integer
---@param value table|string the body: an object, or text as it is
---@param rule table? more fields of the rule
function Rehearsal:answer(match, status, value, rule)
  local complete = { match = match, fault = "answer", status = status,
    body = type(value) == "table" and json.encode(value) or value }
  for name, field in pairs(rule or {}) do complete[name] = field end
  self:fault(complete)
end

--- The requests to the API in their order, as "GET /api/machines?$filter=..."; not those for tokens.
---@return string[]
function Rehearsal:requests()
  local list = {}
  for _, entry in ipairs(self.tenant.history) do
    if entry.event == "request" and not entry.path:find("/oauth2/", 1, true) then
      list[#list + 1] = entry.method .. " " .. entry.path .. (entry.query ~= "" and "?" .. entry.query or "")
    end
  end
  return list
end

--- What was posted to the API: the last part of each path.
---@return string[]
function Rehearsal:posts()
  local list = {}
  for _, request in ipairs(self:requests()) do
    if request:find "^POST" then list[#list + 1] = request:match "[^/]+$" end
  end
  return list
end

--- How many entries of a kind the tenant's history has.
---@param event string
---@return integer
function Rehearsal:count(event)
  self.tenant:settle()
  local count = 0
  for _, entry in ipairs(self.tenant.history) do
    if entry.event == event then count = count + 1 end
  end
  return count
end

--- Puts an action there, so many seconds ago, as if somebody else had made it.
---@param machine_id string
---@param verb "restrict"|"release"
---@param status string
---@param ago number
---@param fields table? more of its properties
---@return table action
function Rehearsal:past(machine_id, verb, status, ago, fields)
  local now = self.tenant.clock.now()
  local action = { machineId = machine_id, status = status, frozen = true,
    type = verb == "restrict" and "RestrictCodeExecution" or "UnrestrictCodeExecution",
    creationDateTimeUtc = rehearsal.time(now - ago), lastUpdateDateTimeUtc = rehearsal.time(now - ago + 1) }
  for name, value in pairs(fields or {}) do action[name] = value end
  return self.tenant:insert_action(action)
end

--- A time as the service writes it.
---@param seconds number since 1970
---@return string
function rehearsal.time(seconds)
  return require("mde.sim.base.time").iso(seconds)
end

--- Calls fn(...), which must raise an error of kind `invalid`; returns it.
---@param fn function
---@return mde.Error
function rehearsal.refused(fn, ...)
  local ok, err = pcall(fn, ...)
  assert(not ok, "nothing was raised")
  if not errors.is(err) then error("not an mde.Error: " .. tostring(err), 2) end
  assert(err.kind == "invalid", "the kind is " .. tostring(err.kind))
  return err
end

--- Whether a text is one line that can be shown on a terminal.
---@param text string
---@return boolean
function rehearsal.is_one_line(text)
  return not text:find "[%c\127]"
end

return rehearsal
