-- How lists of alerts and incidents behave, and what the times of alerts are worth: the setting `alert_lists`.
--
--   late         { every, by }: each so many-th alert that is raised appears in the lists so many seconds later, with
--                the time that it should have had, behind others that were there before it. By default nothing is late
--   granularity  seconds: the times of creations and updates are cut to whole multiples, so that many are equal (0)
--   repeats      how many rows of a page come again at the beginning of the next (0)
--   page_rows    rows of a page of Graph without $top (100)
--   next_link    what leads to Graph's next page: "whole", which works; "looping", which leads to the first page;
--                "foreign", which leads to another host
local validation = require "mde.sim.base.validation"

local M = {}

local function is_count(value)
  return type(value) == "number" and value >= 0 and value == math.floor(value)
end

local function is_late(value)
  if type(value) ~= "table" then return false end
  for name in pairs(value) do
    if name ~= "every" and name ~= "by" then return false end
  end
  return next(value) == nil
    or is_count(value.every) and value.every > 0 and type(value.by) == "number" and value.by >= 0
end

local links = { whole = true, looping = true, foreign = true }

-- For each field a check, and what is wanted.
local checks = {
  late = { is_late, "a table with `every`, a whole number, and `by`, in seconds" },
  granularity = { function(value) return type(value) == "number" and value >= 0 end, "a number of seconds" },
  repeats = { is_count, "a whole number" },
  page_rows = { function(value) return is_count(value) and value >= 1 and value <= 1000 end,
    "a whole number from 1 to 1000" },
  next_link = { function(value) return links[value] == true end, "one of whole, looping, foreign" },
}

--- The setting; what is left out stays as it was.
---@param changes table
---@param present table? as it was; nil for good manners
---@return table complete
function M.settings(changes, present)
  if type(changes) ~= "table" then error(validation.mismatch("alert_lists", "a table", changes), 0) end
  local complete = { late = {}, granularity = 0, repeats = 0, page_rows = 100, next_link = "whole" }
  for name, value in pairs(present or {}) do complete[name] = value end
  for name, value in pairs(changes) do
    if not checks[name] then error("alert_lists: " .. validation.unknown("", name, checks), 0) end
    if not checks[name][1](value) then
      error("alert_lists: " .. validation.mismatch(name, checks[name][2], value), 0)
    end
    complete[name] = value
  end
  return complete
end

return M
