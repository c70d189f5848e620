--- options: what a watch is asked, read and checked before anything is opened.

local errors = require "mde.base.error"
local options_of = require "mde.base.options"
local times = require "mde.query.times"

local EVERY, OVERLAP, SPAN, SWEEP_EVERY, RETRY_AFTER, TRIES = 60, 900, 86400, 3600, 60, 3
local MAX_SPAN, MAX_TRIES = 366 * 86400, 100

local M = {}

---@class mde.WatchOptions
---@field handler fun(alert: table, options: table, attempt: integer): any, any is called once for each alert, one at a
--- time. `options` go to mde.restrict and its like: `key` and `decided_at` are the alert's
---@field cursor string|{ store: string } where it is kept which alerts were handed over: a file, or a name in the
--- client's store
---@field alerts? table|string which alerts, as mde.alerts takes it; default all
---@field source? mde.AlertSourceName|mde.AlertSource who is asked for them, as mde.alerts takes it, default "defender";
--- or else where alerts come from, in the place of `alerts`
---@field since? mde.Time the first time: alerts that were created before are not handed over; default now
---@field per? "alert"|"status" "status": an alert is handed over again when its status is another; default "alert"
---@field every? number seconds between two reads; default 60
---@field overlap? number each read begins so many seconds before the newest alert; default 900
---@field span? number a sweep begins so many seconds before it, and so long ids are known; default 86400
---@field sweep_every? number seconds between two sweeps; default 3600
---@field tries? integer how often an alert is handed over that fails, before it is set aside; default 3
---@field retry_after? number seconds until the first time again, and four times as many each time; default 60
---@field again? string[] ids of alerts that were set aside, to be handed over again
---@field once? boolean end after one complete read, for a timer
---@field stop? fun(): boolean? is asked before each alert and while nothing is to be done; true ends the watch
---@field on_event? fun(event: mde.WatchEvent)

---@class mde.AlertSource
---@field read fun(self: mde.AlertSource, since: number, context: mde.Context?): (fun(): table?)?, mde.Error? the alerts
--- that were changed since, inclusive, Unix seconds, in any order: an iterator, which raises if it fails
---@field find? fun(self: mde.AlertSource, id: string, context: mde.Context?): table?, mde.Error? one of them, which is
--- to be handed over again and is not among those any more

local known = { handler = "callback", cursor = "any", alerts = "any", source = "any", since = "any", per = "text",
  every = "seconds", overlap = "seconds", span = "seconds", sweep_every = "seconds", tries = "count",
  retry_after = "seconds", again = "object", once = "flag", stop = "callback", on_event = "callback" }

local function check_cursor(cursor)
  if type(cursor) == "string" then
    if cursor ~= "" and not cursor:find "%z" then return end
  elseif type(cursor) == "table" and type(cursor.store) == "string" and cursor.store ~= "" then
    if not cursor.store:find "[^A-Za-z0-9._-]" and #cursor.store <= 64 then return end
  end
  errors.invalid("wrong_value", "mde.watch: option \"cursor\" names no place for what was handed over",
    "Name a file: cursor = \"/var/lib/mde/alerts.cursor\". Or a name of A-Za-z0-9._- in the client's store: "
      .. "cursor = { store = \"alerts\" }.")
end

--- Raises unless they are of use. Returns a copy, with the defaults.
---@param options mde.WatchOptions
---@param now number the service's time, Unix seconds
---@return table
function M.check(options, now)
  options_of.check(options, known, "mde.watch")
  local checked = { every = EVERY, overlap = OVERLAP, span = SPAN, sweep_every = SWEEP_EVERY, tries = TRIES,
    retry_after = RETRY_AFTER, per = "alert" }
  for name, value in pairs(options or {}) do checked[name] = value end
  if not checked.handler then
    errors.invalid("wrong_type", "mde.watch needs a handler",
      "Write handler = function(alert, options) ... end.")
  end
  check_cursor(checked.cursor)
  local source = checked.source
  local is_table = type(source) == "table" and type(source.read) == "function" and checked.alerts == nil
  if source ~= nil and not is_table and source ~= "defender" and source ~= "graph" then
    errors.invalid("wrong_type", "mde.watch: option \"source\" must be \"defender\" or \"graph\", or have a function "
      .. "read, and then it stands in the place of \"alerts\"")
  end
  if checked.per ~= "alert" and checked.per ~= "status" then
    errors.invalid("wrong_value", ("mde.watch: option \"per\" must be \"alert\" or \"status\", not %s"):format(
      errors.got(checked.per)))
  end
  if checked.span < checked.overlap or checked.span > MAX_SPAN then
    errors.invalid("wrong_value", "mde.watch: option \"span\" must be at least the overlap, and at most a year")
  end
  if checked.tries > MAX_TRIES then
    errors.invalid("wrong_value", ("mde.watch: option \"tries\" must be at most %d"):format(MAX_TRIES))
  end
  for _, id in ipairs(checked.again or {}) do
    if type(id) ~= "string" then
      errors.invalid("wrong_type", ("mde.watch: option \"again\" must be a list of ids, not of %s"):format(
        errors.got(id)))
    end
  end
  M.first(checked, now)
  return checked
end

--- Since when alerts are handed over, if nothing is kept yet. Raises for what is no time.
---@param checked table
---@param now number the service's time, Unix seconds
---@return number seconds Unix seconds
function M.first(checked, now)
  if checked.since == nil then return now end
  local _, seconds = times.read(checked.since, now, "mde.watch: option \"since\"")
  return seconds
end

--- What the core is told of them.
---@param checked table
---@return mde.core.cursor.Limits
function M.limits(checked)
  return { by_status = checked.per == "status", overlap = checked.overlap, span = checked.span,
    sweep_every = checked.sweep_every, tries = checked.tries, delay = checked.retry_after }
end

return M
