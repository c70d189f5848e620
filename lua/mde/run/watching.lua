--- watching: a playbook of `mde watch`: what `require "mde"` gives it, and how it is run.
--
-- Its functions are those of mde by the client of the command. mde.watch and mde.watcher take what the command asks in
-- the place of what the playbook says. What changes something is for a handler: elsewhere nobody has seen a plan of it.

local core = require "mde.core"
local errors = require "mde.base.error"
local mde = require "mde"
local playbooks = require "mde.run.playbook"
local posix = require "mde.posix"

local M = {}

---@class mde.WatchingOptions
---@field once? boolean
---@field since? mde.Time
---@field again? string[]
---@field on_watch fun(watch: mde.Watch) is told of each watch before it runs
---@field on_event fun(event: mde.WatchEvent)

---@class mde.Watching a playbook that is run
---@field client mde.Client
---@field options mde.WatchingOptions
---@field count integer of the watches so far
---@field handlers integer that run
---@field err? mde.Error of the first watch that did not end as it should

-- The functions that change something.
local changing = { "update_alert", "update_incident", "add_indicator", "import_indicators", "delete_indicator" }
for _, name in ipairs(core.response_actions) do
  if name ~= "package_link" then changing[#changing + 1] = name end
end

local function copy(values)
  local own = {}
  for name, value in pairs(type(values) == "table" and values or {}) do own[name] = value end
  return own
end

local function ended_handler(watching, ok, ...)
  watching.handlers = watching.handlers - 1
  if not ok then error(..., 0) end
  return ...
end

-- mde.watcher: a watch that the command knows. What it has ended with is kept, whatever the playbook makes of it.
local function watcher_of(watching)
  local options = watching.options
  return function(given)
    local all = copy(given)
    local told, handler = all.on_event, all.handler
    if type(handler) == "function" then
      function all.handler(...)
        watching.handlers = watching.handlers + 1
        return ended_handler(watching, pcall(handler, ...))
      end
    end
    for _, name in ipairs { "once", "since", "again" } do
      if options[name] ~= nil then all[name] = options[name] end
    end
    function all.on_event(event)
      options.on_event(event)
      if told then told(event) end
    end
    local watch = watching.client:watcher(all)
    local run = watch.run
    function watch.run(self)
      watching.count = watching.count + 1
      options.on_watch(self)
      local ended, err = run(self)
      watching.err = watching.err or err
      return ended, err
    end
    return watch
  end
end

-- From now on the client changes something only while a handler runs, called by a machine's method too. Returns what
-- ends that.
local function guard(watching)
  local client = watching.client
  for _, name in ipairs(changing) do
    local method = client[name]
    client[name] = function(...)
      if watching.handlers > 0 then return method(...) end
      errors.invalid("outside_a_handler", ("mde.%s is called outside of a handler of mde.watch"):format(name),
        "Nobody has seen a plan of it: call it in the handler, or write a playbook for mde run.")
    end
  end
  return function()
    for _, name in ipairs(changing) do client[name] = nil end
  end
end

local function library_of(watching)
  local client, library = watching.client, {}
  for name, value in pairs(mde) do
    local is_bound = type(value) == "function" and type(client[name]) == "function"
    library[name] = is_bound and function(...) return client[name](client, ...) end or value
  end
  library.watcher = watcher_of(watching)
  function library.watch(given) return library.watcher(given):run() end
  return library
end

--- Runs a playbook until its watches have ended.
---@param client mde.Client
---@param playbook mde.Playbook
---@param options mde.WatchingOptions
---@return true? ended
---@return mde.Error? err why the playbook, or a watch of it, did not end as it should
function M.run(client, playbook, options)
  ---@type mde.Watching
  local watching = { client = client, options = options, count = 0, handlers = 0 }
  local unguard = guard(watching)
  local ok, ended, err = pcall(playbooks.run, playbook, library_of(watching), math.floor(posix.clock.time()))
  unguard()
  if not ok then error(ended, 0) end
  if not ended then return nil, err end
  if watching.err then return nil, watching.err end
  if watching.count > 0 then return true end
  return nil, errors.new { kind = "invalid", code = "playbook_waits_not",
    message = ("the playbook %s does not call mde.watch"):format(errors.quote(playbook.name)),
    hint = "Write mde.watch { cursor = \"FILE\", handler = function(alert, options) ... end }." }
end

M.read, M.leave = playbooks.read, playbooks.leave

return M
