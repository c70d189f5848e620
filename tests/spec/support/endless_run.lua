-- A run that goes round for ever raises, so that a missing rule shows at once: each round of a run looks whether it was
-- asked to stop, or at a gate, and in a spec it does so only so often.
--
--   endless_run.watch(tenant)
--   ...
--   endless_run.leave()

local stops = require "mde.run.stop"
local waves = require "mde.run.waves"

-- Without a request in between, and at gates: more than ten times as many as the longest wait of a spec needs.
local MOST_LOOKS, MOST_GATES = 10000, 600

local endless_run = {}

local is_asked, new = stops.is_asked, waves.new

local function counter(most, words)
  local count = 0
  return function(is_over)
    count = is_over and 1 or count + 1
    if count > most then error(words, 0) end
  end
end

--- From now on a run goes round so often. `tenant`: the one in the same process that it asks.
---@param tenant mde.sim.tenant
function endless_run.watch(tenant)
  local look = counter(MOST_LOOKS, "the run goes round for ever: it waits, and asks nobody")
  local judge = counter(MOST_GATES, "the run goes round for ever at a gate")
  local known = 0
  stops.is_asked = function(path)
    look(#tenant.history ~= known)
    known = #tenant.history
    return is_asked(path)
  end
  waves.new = function(settings)
    local all, tell = {}, settings.on_event
    for name, value in pairs(settings) do all[name] = value end
    all.on_event = function(event)
      if event.event == "gate" then judge() end
      if tell then tell(event) end
    end
    return new(all)
  end
end

--- It goes on as it likes.
function endless_run.leave()
  stops.is_asked, waves.new = is_asked, new
end

return endless_run
