--- watching: a playbook of `mde watch`: what `require "mde"` gives it, and how it is run.
--
-- Its functions are those of mde by the client of the command. mde.watch and mde.watcher take what the command asks in
-- the place of what the playbook says.

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

local function copy(values)
  local own = {}
  for name, value in pairs(type(values) == "table" and values or {}) do own[name] = value end
  return own
end

-- mde.watcher: a watch that the command knows. What it has ended with is kept, whatever the playbook makes of it.
local function watcher_of(client, options, kept)
  return function(given)
    local all = copy(given)
    local told = all.on_event
    for _, name in ipairs { "once", "since", "again" } do
      if options[name] ~= nil then all[name] = options[name] end
    end
    function all.on_event(event)
      options.on_event(event)
      if told then told(event) end
    end
    local watch = client:watcher(all)
    local run = watch.run
    function watch.run(self)
      kept.count = kept.count + 1
      options.on_watch(self)
      local ended, err = run(self)
      kept.err = kept.err or err
      return ended, err
    end
    return watch
  end
end

local function library_of(client, options, kept)
  local library = {}
  for name, value in pairs(mde) do
    local is_bound = type(value) == "function" and type(client[name]) == "function"
    library[name] = is_bound and function(...) return client[name](client, ...) end or value
  end
  library.watcher = watcher_of(client, options, kept)
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
  local kept = { count = 0 }
  local ended, err = playbooks.run(playbook, library_of(client, options, kept), math.floor(posix.clock.time()))
  if not ended then return nil, err end
  if kept.err then return nil, kept.err end
  if kept.count > 0 then return true end
  return nil, errors.new { kind = "invalid", code = "playbook_waits_not",
    message = ("the playbook %s does not call mde.watch"):format(errors.quote(playbook.name)),
    hint = "Write mde.watch { cursor = \"FILE\", handler = function(alert, options) ... end }." }
end

M.read, M.leave = playbooks.read, playbooks.leave

return M
