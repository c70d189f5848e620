-- Runs busted inside a worker of nginx, in whatever phase it is called in: the tests wait as any Lua in nginx does, so
-- the worker goes on meanwhile.
--
--   local report = suite.run(function() conformance("resty", ...) end)
--   ... report.successes, report.failures

local suite = {}

-- busted keeps what it was told to run in its modules, and what calls it keeps its functions.
local function forget_busted()
  for name in pairs(package.loaded) do
    if name == "busted" or name:find "^busted%." or name:find "^tests%.spec%." or name == "tests.hosts.event_loop" then
      package.loaded[name] = nil
    end
  end
end

--- Runs what `define` describes.
---@param define fun() calls busted's functions, or requires and calls what does
---@return { successes: integer, failures: string[] } report
function suite.run(define)
  forget_busted()
  local busted = require "busted.core"()
  require "busted"(busted)
  local report = { successes = 0, failures = {} }

  local function fail(element, _, message)
    report.failures[#report.failures + 1] = ("%s: %s"):format(tostring(element.name or element.descriptor),
      tostring(message))
    return nil, true
  end

  busted.subscribe({ "test", "end" }, function(_, _, status)
    if status == "success" then report.successes = report.successes + 1 end
    return nil, true
  end)
  busted.subscribe({ "failure" }, fail)
  busted.subscribe({ "error" }, fail)
  busted.subscribe({ "pending" }, fail)
  -- A table, as busted makes of each file that it loads.
  busted.executors.file("inside nginx", setmetatable({ getTrace = function(_, info) return info end },
    { __call = function() define() end }))
  require "busted.execute"(busted)(1, {})
  return report
end

--- The report as text, its first line being "N passed, N failed".
---@return string
function suite.text(report)
  return ("%d passed, %d failed\n%s"):format(report.successes, #report.failures, table.concat(report.failures, "\n"))
end

return suite
