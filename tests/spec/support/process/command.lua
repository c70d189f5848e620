-- Runs the `mde` command as a person or a script would: as a process of its own, against a tenant.
--
--   local command = require("tests.spec.support.process.command").new(tenant.env)
--   local result = command.run({ "restrict", "laptop-17", "--yes" }, { input = "..." })
--   ... result.out, result.err, result.status
--   local screen = command.screen({ "restrict", "laptop-17" }, { columns = 80 })
--   screen.wait_for "Restrict it" screen.keys("y", "Enter") ... screen.text() screen.status()
--   command.stop()
--
-- commands.scene() has both, a tenant and the command.

local busted = require "busted"
local shell = require "tests.spec.support.process.shell"
local tenants = require "tests.spec.support.server.tenant"
local wait_until = require "tests.spec.support.process.wait_until"

local commands = {}

local quote, read_file, write_file, output_of = shell.quote, shell.read_file, shell.write_file, shell.output_of

--- Whether there can be a screen.
function commands.has_tmux()
  return output_of "command -v tmux" ~= ""
end

-- Nothing of the surrounding environment matters: the trace would be among the remarks, doctor names whom the machine
-- trusts, and a preloaded sanitizer is for the command, not for tmux.
local function write_environment(path, environment)
  local all = shell.lua_environment()
  for name, value in pairs(environment) do all[name] = value end
  all.MDE_LOG, all.SSL_CERT_DIR, all.LD_PRELOAD = false, environment.SSL_CERT_DIR or false, os.getenv "LD_PRELOAD"
  shell.write_environment(path, all)
end

local function words_of(arguments, program)
  local words = { "lua5.4", program or "lua/mde/cli/mde.lua" }
  for _, argument in ipairs(arguments) do words[#words + 1] = quote(argument) end
  return table.concat(words, " ")
end

local function settings_of(options)
  local settings = {}
  for name, value in pairs(options.environment or {}) do
    settings[#settings + 1] = ("export %s=%s; "):format(name, quote(value))
  end
  return table.concat(settings)
end

---@param environment table<string, string> of the tenant, say
function commands.new(environment)
  local directory = shell.new_directory()
  write_environment(directory .. "/env", environment)
  local self, count, screens = { directory = directory }, 0, {}

  local function new_place()
    count = count + 1
    return ("%s/%d"):format(directory, count)
  end

  --- A file with that text; its path.
  function self.file(name, text)
    write_file(directory .. "/" .. name, text)
    return directory .. "/" .. name
  end

  --- Starts it in the background. `options`: `input` (standard input; default empty), `endless` (the input does not
  --- end after that), `environment`, `output` (a shell's redirection instead of a file), `first` (what the shell that
  --- starts it does before), `program` (a file of Lua instead of the command's).
  function self.start(arguments, options)
    options = options or {}
    local place = new_place()
    if options.endless then
      os.execute(("mkfifo %s.in"):format(place))
    else
      write_file(place .. ".in", options.input or "")
    end
    os.execute(("(. %s/env; %s %s sh -c 'echo $$ >%s.pid; exec \"$@\"' sh %s %s%s.in %s 2>%s.err; "
      .. "echo $? >%s.status.new; mv %s.status.new %s.status) &")
      :format(directory, settings_of(options), options.first and options.first .. ";" or "", place,
        words_of(arguments, options.program), options.endless and "<>" or "<", place,
        options.output or ">" .. place .. ".out", place, place, place, place))
    if options.endless then write_file(place .. ".in", options.input) end
    local process = {}

    function process.errors() return read_file(place .. ".err") or "" end

    function process.output() return read_file(place .. ".out") or "" end

    --- Waits until its remarks have this text.
    function process.wait_for(text)
      wait_until(function() return process.errors():find(text, 1, true) end, process.errors)
    end

    --- The same of its results.
    function process.wait_for_output(text)
      wait_until(function() return process.output():find(text, 1, true) end, process.errors)
    end

    local function pid()
      return wait_until(function() return tonumber(read_file(place .. ".pid") or "") end, function()
        return "its process id"
      end)
    end

    --- A file of what the system knows of it.
    function process.proc(name) return read_file(("/proc/%d/%s"):format(pid(), name)) or "" end

    --- Sends it a signal.
    function process.signal(name)
      os.execute(("kill -%s %d"):format(name, pid()))
    end

    --- Waits until it has made ready for signals (SIGPIPE is ignored) and sleeps, as it does while it reads.
    function process.wait_until_it_reads()
      wait_until(function()
        local status = read_file(("/proc/%d/status"):format(pid())) or ""
        local ignored = tonumber(status:match "SigIgn:%s*%x*(%x%x%x%x)" or "0", 16)
        return math.floor(ignored / 0x1000) % 2 == 1 and status:find "State:%s*S"
      end, process.errors)
    end

    --- Waits for its end.
    function process.finish()
      local status = wait_until(function() return tonumber(read_file(place .. ".status") or "") end, process.errors)
      local result = { out = process.output(), err = process.errors(), status = status }
      -- Searched for secrets with everything else that the tests write.
      if os.getenv "MDE_LOG" then io.stderr:write(result.out, result.err) end
      return result
    end

    return process
  end

  --- Runs it to its end.
  ---@return { out: string, err: string, status: integer }
  function self.run(arguments, options)
    return self.start(arguments, options).finish()
  end

  --- Runs it on a terminal. `options`: `columns`, `lines`, `environment`, `input` (what another program pipes into
  --- it; default: standard input is the terminal).
  function self.screen(arguments, options)
    options = options or {}
    local place = new_place()
    local pipe = ""
    if options.input then
      write_file(place .. ".in", options.input)
      pipe = (" <%s.in"):format(place)
    end
    -- The shell outlives both Ctrl-C and the terminal, to tell the status; but not this place.
    write_file(place .. ".sh", (". %s/env; %s\ntrap : INT\ntrap '' HUP\n(trap - HUP; exec %s%s)\nstatus=$?\n"
      .. "echo $status >%s.status.new\nmv %s.status.new %s.status\necho \"exit $status\"\n"
      .. "while [ -e %s.sh ]; do sleep 1; done\n")
      :format(directory, settings_of(options), words_of(arguments), pipe, place, place, place, place))
    local tmux = ("env -u LD_PRELOAD -u TMUX LC_ALL=C.UTF-8 tmux -u -S %s.tmux -f /dev/null "):format(place)
    os.execute(("%s new-session -d -x %d -y %d 'sh %s.sh'"):format(tmux, options.columns or 80, options.lines or 40,
      place))
    local screen = {}
    screens[#screens + 1] = screen

    --- What is seen now, without the empty lines at the end.
    ---@return string
    function screen.text()
      return (output_of(tmux .. "capture-pane -p 2>&1"):gsub("%s+$", ""))
    end

    --- The same with what makes text bold or red.
    ---@return string
    function screen.styled()
      return output_of(tmux .. "capture-pane -p -e 2>&1")
    end

    --- Waits until this text is seen.
    function screen.wait_for(text)
      wait_until(function() return screen.text():find(text, 1, true) end, function()
        return text .. "\n" .. screen.text()
      end)
    end

    --- Presses keys, as tmux names them.
    function screen.keys(...)
      local words = {}
      for i, key in ipairs { ... } do words[i] = quote(key) end
      os.execute(tmux .. "send-keys " .. table.concat(words, " "))
    end

    --- Waits for the end of the command; its status.
    function screen.status()
      return wait_until(function() return tonumber(read_file(place .. ".status") or "") end, screen.text)
    end

    --- Keeps what is seen among the results of the tests.
    function screen.record(name)
      os.execute(("mkdir -p %s"):format(quote(shell.build() .. "/seen")))
      write_file(("%s/seen/%s.txt"):format(shell.build(), name), screen.text() .. "\n")
    end

    --- Closes the terminal.
    function screen.close()
      os.execute(tmux .. "kill-server 2>/dev/null")
    end

    return screen
  end

  function self.stop()
    for _, screen in ipairs(screens) do screen.close() end
    shell.remove(directory)
  end

  return self
end

--- Fails unless the text has this part.
function commands.has(text, part)
  if not text:find(part, 1, true) then error(("%q is not in:\n%s"):format(part, text), 2) end
end

--- Fails if the text has this part.
function commands.has_not(text, part)
  if text:find(part, 1, true) then error(("%q is in:\n%s"):format(part, text), 2) end
end

function commands.lines_of(text)
  local lines = {}
  for line in text:gmatch "[^\r\n]+" do lines[#lines + 1] = line end
  return lines
end

--- A name that would act on a terminal.
commands.HOSTILE = "\27]0;owned\7\27[2J\194\155evil\226\128\174.corp.example"

-- Stands for what there is only when the tests run.
local function later(get)
  return setmetatable({}, { __index = function(_, name) return get()[name] end })
end

--- For all the tests of a file: a tenant without limits, which each test finds as it was in the beginning, the command
--- that is pointed at it, and what is asked of both.
---@return { tenant: tests.Tenant, command: table, created: fun(): table[], desks: fun(count: integer): string[] }
function commands.scene()
  local tenant, command
  local scene = { tenant = later(function() return tenant end), command = later(function() return command end) }

  busted.setup(function()
    tenant = tenants.start { limits = false, action_seconds = 0.3 }
    command = commands.new(tenant.env)
  end)

  busted.teardown(function()
    if command then command.stop() end
    tenant.stop()
  end)

  busted.before_each(function()
    tenant.reset()
    tenant.clear()
  end)

  --- The actions that were created, in their order.
  function scene.created()
    return scene.tenant.history "action_created"
  end

  --- Machines that nothing protects; a list of their names.
  function scene.desks(count)
    local names = {}
    for i = 1, count do
      names[i] = ("desk-%03d.corp.example"):format(i)
      scene.tenant.machine { id = ("%040x"):format(0xd0000 + i), computerDnsName = names[i] }
    end
    return names
  end

  return scene
end

return commands
