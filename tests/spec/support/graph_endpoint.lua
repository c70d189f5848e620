-- An endpoint of the simulated Microsoft Graph for a test alone: `GET` and `POST /v1.0/security/probe`, and `PATCH` of
-- one below it. It keeps what it was asked.
--
--   before_each(endpoint.plant)
--   after_each(endpoint.remove)

local answers = require "mde.sim.graph.answers"
local endpoints = require "mde.sim.graph.endpoints"
local json = require "mde.sim.base.json"

local M = { asked = nil }

local function run(tenant, request, grant, id, options)
  M.asked = { request = request, grant = grant, id = id, options = options }
  return answers.with_body(tenant, request, 200, json.encode { value = json.array { { id = id or "probe" } } })
end

local rows = {
  { method = "GET", path = { "security", "probe" }, roles = { "SecurityAlert.Read.All", "SecurityAlert.ReadWrite.All" },
    api = "alerts", per_minute = 150, options = { "$top", "$filter" }, run = run },
  { method = "POST", path = { "security", "probe" }, roles = { "SecurityAlert.ReadWrite.All" }, api = "alerts",
    per_minute = 150, run = run },
  { method = "PATCH", path = { "security", "probe", "*" }, roles = { "SecurityAlert.ReadWrite.All" }, api = "alerts",
    per_minute = 150, run = run },
}

function M.plant()
  M.asked = nil
  for _, row in ipairs(rows) do endpoints[#endpoints + 1] = row end
end

function M.remove()
  for _ = 1, #rows do table.remove(endpoints) end
end

return M
