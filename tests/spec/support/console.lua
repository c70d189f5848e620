-- The command in this process: what it writes, what it is answered, and when it is interrupted.
--
--   local told = console.run({ "state", "laptop-17" }, { client = r.client })
--   ... told.out, told.err, told.status, told.client_options
--   local told = console.capture(function() return terminal.confirm "Really?" end, { answers = { "y" } })
--   ... told.out, told.err, told.value
--
-- tests/spec/support/process/command.lua runs it as a process of its own, on a real terminal too.

local cli = require "mde.cli"
local mde = require "mde"
local posix = require "mde.posix"
local terminal = require "mde.cli.ui.terminal"

local console = {}

local OUTPUT = 1

-- A file that keeps what is written. The trace is no remark of the command: it goes on to where the tests search it.
local function recorder(trace)
  local texts, self = {}, {}
  function self.write(_, ...)
    local text = table.concat { ... }
    if trace and text:find '^{"' and text:find('"event":', 1, true) then
      trace:write(text)
    else
      texts[#texts + 1] = text
    end
    return self
  end
  function self.flush() return self end
  function self.text() return table.concat(texts) end
  return self
end

-- Puts others in the place of fields while fn runs.
local function with(places, fn)
  local before = {}
  for i, place in ipairs(places) do
    before[i] = place[1][place[2]]
    place[1][place[2]] = place[3]
  end
  local ok, value, more = pcall(fn)
  for i, place in ipairs(places) do place[1][place[2]] = before[i] end
  if not ok then error(value, 0) end
  return value, more
end

--- Calls fn() on a console of its own. `options`:
---   `answers`: a person is there and gives these; after the last one the input ends. A function is called for its
---   answer, while the question stands
---   `input`: a file, which is standard input
---   `columns`: of the terminal that shows the results; they go elsewhere otherwise
---   `styles`: the terminals take styles
---   `movable`: standard error is a terminal whose last line can be taken back
---   `interruptions`: a function that says how often Ctrl-C was pressed by now
---@return { out: string, err: string, value: any, more: any }
function console.capture(fn, options)
  options = options or {}
  local out, err, answers = recorder(), recorder(io.stderr), {}
  for i, answer in ipairs(options.answers or {}) do answers[i] = answer end
  local value, more = with({
    { io, "stdout", out }, { io, "stderr", err }, { io, "stdin", options.input or io.stdin },
    { io, "read", function()
      local answer = table.remove(answers, 1)
      return type(answer) == "function" and answer() or answer
    end },
    { posix.signal, "interruptions", options.interruptions or function() return 0 end },
    { posix.terminal, "columns", function() return options.columns end },
    { posix.terminal, "is_terminal", function(descriptor)
      if descriptor == OUTPUT then return options.columns ~= nil end
      return options.answers ~= nil
    end },
    { terminal, "has_movable_line", function() return options.movable or false end },
    { terminal, "has_styles", function() return options.styles or false end },
  }, fn)
  return { out = out.text(), err = err.text(), value = value, more = more }
end

--- Runs the command with this client, or with this error in the place of one.
---@param words string[]
---@param options? table `client`, `client_error`, `make_client(client_options)` in their place, and what capture takes
---@return { out: string, err: string, status: integer, client_options: table? }
function console.run(words, options)
  options = options or {}
  local given
  local told = console.capture(function()
    return with({
      { mde, "client", function(client_options)
        given = client_options
        if options.make_client then return options.make_client(client_options) end
        return options.client, options.client_error
      end },
      { posix.process, "harden", function() return true end }, { posix.signal, "watch", function() end },
    }, function() return cli.run(words) end)
  end, options)
  return { out = told.out, err = told.err, status = told.value, client_options = given }
end

return console
