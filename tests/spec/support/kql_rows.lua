-- Runs queries over a few made-up rows: for tests of the simulated tenant's KQL.
local json = require "mde.sim.base.json"
local queries = require "mde.sim.kql.query"

local M = {}

M.NOW = 1770113472 -- 2026-02-03T10:11:12Z

local rows = {
  { Timestamp = M.NOW - 7200, DeviceId = "a1", DeviceName = "laptop-1.corp.example", Count = 3, Share = 0.5,
    IsJoined = true, Bag = { users = { "ana", "o'brien" }, level = 2 } },
  { Timestamp = M.NOW - 60.25, DeviceId = "a1", DeviceName = "Laptop-1.corp.example", Count = 4, IsJoined = false },
  { Timestamp = M.NOW - 86400 * 3, DeviceId = "b2", DeviceName = 'say "hi" \\ | take 1 // x', Share = -1.5 },
  { Timestamp = M.NOW - 10, DeviceId = "c3", Count = 3, Bag = json.array {} },
}

M.tables = {
  Events = {
    columns = { { name = "Timestamp", type = "datetime" }, { name = "DeviceId", type = "string" },
      { name = "DeviceName", type = "string" }, { name = "Count", type = "long" }, { name = "Share", type = "real" },
      { name = "IsJoined", type = "bool" }, { name = "Bag", type = "dynamic" } },
    rows = function() return rows end,
  },
  Owners = {
    columns = { { name = "DeviceId", type = "string" }, { name = "Owner", type = "string" } },
    rows = function() return { { DeviceId = "a1", Owner = "ana" }, { DeviceId = "c3", Owner = "bo" },
      { DeviceId = "c3", Owner = "cy" } } end,
  },
}

--- The rows that a query selects, as JSON without its braces, one text for each; or nil and the refusal.
function M.run(text)
  local result, message = queries.run(text, M.tables, M.NOW)
  if not result then return nil, message end
  local names, lines = {}, {}
  for i, column in ipairs(result.columns) do names[i] = column.name end
  for i, row in ipairs(result.rows) do
    lines[i] = json.object(names, queries.wire_row(result.columns, row)):sub(2, -2)
  end
  return lines
end

--- The ids of the rows of Events for which a condition is true, in their order.
function M.where(condition)
  local lines, message = M.run("Events | where " .. condition .. " | project DeviceId, Count")
  if not lines then return nil, message end
  local ids = {}
  for i, line in ipairs(lines) do ids[i] = line:match '"DeviceId":"(%w+)"' end
  return table.concat(ids, " ")
end

--- The value of an expression over the first row of Events, as JSON.
function M.value(text)
  local lines, message = M.run("Events | take 1 | project x = " .. text)
  if not lines then return nil, message end
  return (lines[1]:gsub('^"x":', ""))
end

return M
