-- Journals of runs (mde.journal) of which each call is seen before it is made, and may fail or raise.
--
--   watched_journal.watch(function(method, fields) if method == "sending" then return "the disk is full" end end)
--   ...
--   watched_journal.leave()

local journal = require "mde.journal"

local watched_journal = {}

local create, open = journal.create, journal.open

-- `before`: returns why the call fails, or nil; or raises.
local function proxy(file, before)
  if not file then return nil end
  return setmetatable({}, { __index = function(_, method)
    return function(_, ...)
      local why = before(method, ...)
      if why then return nil, why, "full" end
      return file[method](file, ...)
    end
  end })
end

--- From now on what is created or opened is seen by `before(method, ...)`.
---@param before fun(method: string, ...): string?
function watched_journal.watch(before)
  for name, fn in pairs { create = create, open = open } do
    journal[name] = function(...)
      local file, message, code = fn(...)
      return proxy(file, before), message, code
    end
  end
end

--- Journals are what they were.
function watched_journal.leave()
  journal.create, journal.open = create, open
end

return watched_journal
