-- mde.watch over a few alerts: whatever fails on the way, the cursor knows none whose handler has not ended. An attempt
-- that ends within a handler counts as a try.

local alerts = require "tests.spec.support.alerts"
local cursor_files = require "mde.watch.cursor_file"

local prefix = os.tmpname()
os.remove(prefix)

local list = alerts.new()
list.now = 10
for i = 1, 3 do list.add("alert-" .. i, 1) end

local ended, failure = {}, nil

local options = { once = true, tries = 100, since = alerts.START, handler = function(alert)
  local id = alert.id
  if #(id .. " is looked at") > 0 then ended[id] = true end
end, on_event = function(event) failure = failure or event.what == "failed" and event.err end }

-- Each copy of the process has a file of its own.
local function path_of_process()
  local file = io.open "/proc/self/stat"
  local path = prefix .. file:read "*l":match "^%d+"
  file:close()
  return path
end

local function watch()
  options.cursor = path_of_process()
  -- What has failed before is due again.
  list.now = list.now + 4000
  local done, problem = list.watch(options):run()
  if not done then return nil, tostring(problem) end
  for i = 1, 3 do
    if not ended["alert-" .. i] then return nil, failure or "an alert was not handed over" end
  end
  os.remove(options.cursor)
  return true
end

-- What the last attempt has left is looked at, and then gone.
local function before()
  collectgarbage()
  local kept, problem = cursor_files.open(path_of_process(), alerts.START)
  if not kept then error(tostring(problem)) end
  for _, id in ipairs(kept.cursor:in_state "done") do
    if not ended[id] then error(id .. " is known, and was not handed over") end
  end
  kept:close()
  os.remove(path_of_process())
  ended, failure = {}, nil
end

return watch, before
