-- Advanced hunting of a tenant: the setting `hunting`, and what a query comes to within its limits, whichever endpoint
-- asks.
--
--   rows               table name -> list of further rows. A Timestamp may be told as "2h ago"; a row with a DeviceName
--                      and no DeviceId has the id of that machine
--   mitigation_status  whether DeviceInfo has the column MitigationStatus (false)
--   spelling           how Graph spells a reply: "documented"; "older", with Name and Type, and camel case in the rows
--   quota, cost        seconds of run time in a quarter of an hour (600), and what each query takes of them (1)
--   most_rows          (100000) more rows are left out in silence
--   most_bytes         (50 MB) a larger reply is refused
local literals = require "mde.sim.kql.literal"
local queries = require "mde.sim.kql.query"
local schema = require "mde.sim.model.hunting_schema"
local telemetry = require "mde.sim.model.telemetry"
local time = require "mde.sim.base.time"
local validation = require "mde.sim.base.validation"

local M = {}

local DAY, QUARTER = 86400, 900

--- So far back the tenant's tables go.
M.KEPT_SECONDS = 30 * DAY

local function is_count(value)
  return type(value) == "number" and value >= 1 and value == math.floor(value)
end

local function is_seconds(value)
  return type(value) == "number" and value >= 0 and value < math.huge
end

local checks = {
  mitigation_status = { function(value) return type(value) == "boolean" end, "true or false" },
  spelling = { function(value) return value == "documented" or value == "older" end, "documented or older" },
  quota = { is_seconds, "a number of seconds" },
  cost = { is_seconds, "a number of seconds" },
  most_rows = { is_count, "a whole number of at least 1" },
  most_bytes = { is_count, "a whole number of at least 1" },
}

local types = { string = "string", long = "number", int = "number", real = "number", bool = "boolean",
  datetime = "string", dynamic = "table" }

local function read_row(tenant, columns, fields)
  local row, by_name = {}, {}
  for _, column in ipairs(columns) do by_name[column.name] = column.type end
  for name, value in pairs(fields) do
    local kind = by_name[name]
    if not kind then error(validation.unknown("column ", name, by_name), 0) end
    if type(value) ~= types[kind] then error(validation.mismatch(name, "of type " .. kind, value), 0) end
    row[name] = value
    if kind == "datetime" then
      local text = time.resolve(value, tenant.clock.now())
      row[name] = text and select(2, literals.read("datetime", text))
      if not row[name] then error(validation.mismatch(name, "a time such as 2h ago", value), 0) end
    end
  end
  if not row.Timestamp then row.Timestamp = tenant.clock.now() end
  if row.DeviceName and not row.DeviceId then
    local machine = tenant:find_machine(row.DeviceName, true)
    if not machine then error(("there is no machine '%s'"):format(row.DeviceName), 0) end
    row.DeviceId = machine.id
  end
  return row
end

local function read_rows(tenant, of_tables)
  if type(of_tables) ~= "table" then error(validation.mismatch("rows", "a table", of_tables), 0) end
  local complete = {}
  for name, list in pairs(of_tables) do
    local columns = schema.with_uncertain[name]
    if not columns then error("rows: " .. validation.unknown("table ", name, schema.tables), 0) end
    complete[name] = {}
    validation.for_each(name, list, function(fields, i) complete[name][i] = read_row(tenant, columns, fields) end)
  end
  return complete
end

--- The setting; what is left out stays as it was.
---@param tenant mde.sim.tenant
---@param changes table
---@param present table? as it was
---@return table complete
function M.settings(tenant, changes, present)
  if type(changes) ~= "table" then error(validation.mismatch("hunting", "a table", changes), 0) end
  local complete = { rows = {}, mitigation_status = false, spelling = "documented", quota = 600, cost = 1,
    most_rows = 100000, most_bytes = 50 * 1024 * 1024, used = { quarter = 0, seconds = 0 } }
  for name, value in pairs(present or {}) do complete[name] = value end
  for name, value in pairs(changes) do
    if name == "rows" then
      complete.rows = read_rows(tenant, value)
    elseif not checks[name] then
      local known = { rows = true }
      for known_name in pairs(checks) do known[known_name] = true end
      error("hunting: " .. validation.unknown("", name, known), 0)
    elseif not checks[name][1](value) then
      error("hunting: " .. validation.mismatch(name, checks[name][2], value), 0)
    else
      complete[name] = value
    end
  end
  return complete
end

--- Takes what a query costs off the quota of the present quarter of an hour.
---@param tenant mde.sim.tenant
---@return number? wait seconds until the next one begins; nil if there was enough
function M.spend(tenant)
  local settings, now = tenant.hunting, tenant.clock.now()
  local quarter = math.floor(now / QUARTER)
  local used = settings.used
  if used.quarter ~= quarter then used.quarter, used.seconds = quarter, 0 end
  if used.seconds + settings.cost > settings.quota then return (quarter + 1) * QUARTER - now end
  used.seconds = used.seconds + settings.cost
end

--- Runs a query.
---@param tenant mde.sim.tenant
---@param text string
---@param from number? Unix seconds; the tables' beginning if absent
---@param to number? now if absent
---@return { columns: mde.sim.kql.column[], rows: table[] }? result rows as a reply has them, no more than allowed
---@return string? message why it is refused
function M.run(tenant, text, from, to)
  local now = tenant.clock.now()
  local first = now - M.KEPT_SECONDS
  local tables = telemetry.tables(tenant, math.max(from or first, first), math.min(to or now, now))
  local result, message = queries.run(text, tables, now)
  if not result then return nil, message end
  local rows = {}
  for i = 1, math.min(#result.rows, tenant.hunting.most_rows) do
    rows[i] = queries.wire_row(result.columns, result.rows[i])
  end
  return { columns = result.columns, rows = rows }
end

--- Why a reply is too large; nil if it is not.
---@param tenant mde.sim.tenant
---@param body string
---@return string? message
function M.excess(tenant, body)
  if #body <= tenant.hunting.most_bytes then return nil end
  return "Query execution has exceeded the allowed result size. Optimize your query by limiting the amount of results "
    .. "and try again."
end

return M
