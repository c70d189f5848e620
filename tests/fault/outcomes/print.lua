-- Prints the table of faults. Arguments: the drivers, "libcurl" and "cosocket", and "clock" for the axis of clocks.

local axes = require "tests.fault.outcomes.axes"
local clocks = require "tests.fault.outcomes.clocks"
local play = require "tests.fault.outcomes.play"
local worlds = require "tests.fault.outcomes.world"

local print_rows = {}

function print_rows.libcurl()
  local world = worlds.start()
  local ok, played, problems = pcall(play.play_all, world, "libcurl", print)
  world.stop()
  if not ok then error(played, 0) end
  return played, #problems
end

function print_rows.cosocket()
  local site = worlds.start_nginx()
  local body = site.get "/"
  site.stop()
  local played, rows = (body or ""):match "^(%d+) rows\n(.*)$"
  if not played then error(body or "nginx did not answer", 0) end
  print(rows)
  return tonumber(played), select(2, rows:gsub("| WRONG:", ""))
end

-- Whether all was well.
local function print_clocks()
  local world = worlds.start()
  local ok, sum = pcall(clocks.play_all, world, print)
  world.stop()
  if not ok then error(sum, 0) end
  print(clocks.text(sum))
  return #sum.problems == 0 and sum.rows == #clocks.rows()
end

local failed = false
for _, driver in ipairs(arg) do
  if driver == "clock" then
    failed = not print_clocks() or failed
  else
    local played, wrong = print_rows[driver]()
    print(("%s: %d rows of %d, %d wrong"):format(driver, played, axes.count(), wrong))
    failed = failed or wrong > 0 or played ~= axes.count()
  end
end
os.exit(failed and 1 or 0, true)
