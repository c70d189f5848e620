--- kept: a plan that was kept in a file, or that of a run, to be shown again: nothing is asked, and nothing is changed.
--
-- The file may have been sent by somebody: the digest says whether it is the plan that was shown there.

local core = require "mde.core"
local errors = require "mde.base.error"
local places = require "mde.run.place"
local plans = require "mde.run.plan"
local readings = require "mde.run.reading"

local M = {}

--- A plan is older than what it shows after so long.
M.PLAN_SECONDS = 3600

---@class mde.KeptPlan
---@field plan mde.RunPlan
---@field run string how its run is called in a command
---@field path string
---@field state string "planned" or, once it was carried out, that of its run
---@field expires_at number Unix seconds: from then on mde run wants --stale
---@field used_at? number when it was carried out

local function time(value)
  return type(value) == "number" and core.timestamp.whole(value) and value or nil
end

local function damaged(run, why)
  return nil, errors.new { kind = "invalid", code = "plan_damaged",
    message = ("%s cannot be shown as a plan: %s"):format(errors.quote(run), errors.show(why)),
    hint = "Make a new plan." }
end

--- Reads a plan that was kept.
---@param run string the path of its file, or the id or path of a run
---@return mde.KeptPlan?
---@return mde.Error? err
function M.read(run)
  local path, err = places.record_of(run)
  if not path then return nil, err end
  local found
  found, err = readings.with(path, function(journal)
    local plan, why = plans.read(journal)
    return { plan = plan, why = why, row = journal:run() }
  end)
  if not found then return nil, err end
  local plan, row = found.plan, found.row
  if not plan then return damaged(run, found.why) end
  if not time(plan.made) then return damaged(run, "it does not say when it was made") end
  return { plan = plan, run = places.name_of(path, row.id), path = path, state = row.state,
    expires_at = plan.made + M.PLAN_SECONDS, used_at = time(row.taken) }
end

return M
