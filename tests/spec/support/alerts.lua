-- A list of alerts that grows, a clock that is set, and a watch of both: for tests of lua/mde/watch.

local core = require "mde.core"
local watches = require "mde.watch.watch"

local M = {}

M.START = 1770112800 -- 2026-02-03T10:00:00Z

--- A time as the service writes it.
---@param seconds number since START
---@return string
function M.at(seconds)
  return core.timestamp.write(M.START + seconds)
end

---@class tests.Alerts
---@field rows table[] what the source has; those that were changed since come, the newest first, as the service does it
---@field now number seconds since START
---@field slept number
---@field problems any[] what the next reads raise instead; false: nothing

--- A list, with a host for a watch.
---@return tests.Alerts
function M.new()
  local list = { rows = {}, now = 0, slept = 0, problems = {}, reads = {} }

  function list.add(id, updated, fields)
    local row = { id = id, lastUpdateDateTime = M.at(updated), createdDateTime = M.at(updated), status = "new" }
    for name, value in pairs(fields or {}) do row[name] = value end
    list.rows[#list.rows + 1] = row
    return row
  end

  list.source = { read = function(_, since)
    list.reads[#list.reads + 1] = since - M.START
    local problem = table.remove(list.problems, 1)
    local i = #list.rows + 1
    return function()
      if problem then error(problem, 0) end
      repeat
        i = i - 1
        local row = list.rows[i]
        local time = type(row) == "table" and core.timestamp.read(row.lastUpdateDateTime)
        if row == nil or not time or time >= since then return row end
      until false
    end
  end }

  list.host = { now = function() return M.START + list.now end,
    clock = { now = function() return list.now end, sleep = function(seconds)
      list.now, list.slept = list.now + seconds, list.slept + seconds
      if list.on_sleep then list.on_sleep() end
    end } }

  --- A watch with these options and no others that have to be given.
  function list.watch(options)
    options.source = options.source or list.source
    return watches.new(list.host, options)
  end

  return list
end

return M
