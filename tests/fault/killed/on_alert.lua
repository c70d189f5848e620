-- A playbook of mde watch over a file of alerts that grows. It writes down when a handler begins (B) and ends (E).
--
-- usage: mde watch tests/fault/killed/on_alert.lua CURSOR ROWS LOG [restrict]
--
-- ROWS has lines "id changed created machine". An alert whose id ends in "f" fails once.

local core = require "mde.core"
local mde = require "mde"

local cursor, rows, path, to_restrict = ...

local log = assert(io.open(path, "a"))

local function write(line)
  log:write(line, "\n")
  log:flush()
end

local function read(_, since)
  local lines = io.lines(rows)
  return function()
    for line in lines do
      local id, changed, created, machine = line:match "^(%S+) (%S+) (%S+) (%S+)$"
      if id and core.timestamp.read(changed) >= since then
        return { id = id, title = "beacon", status = "new", lastUpdateDateTime = changed, createdDateTime = created,
          machineId = machine }
      end
    end
  end
end

write "S"
mde.watch {
  cursor = cursor, source = { read = read },
  every = 0.1, overlap = 30, span = 3600, sweep_every = 0.5, tries = 20, retry_after = 0.1,
  handler = function(alert, options, attempt)
    write("B " .. alert.id)
    if alert.id:find "f$" and attempt == 1 then error "this one fails once" end
    if to_restrict then assert(mde.restrict(alert.machineId, mde.comment(alert.title), options)) end
    write("E " .. alert.id)
  end,
}
