--- stop: how a run is asked from outside to begin nothing new.
--
-- Where its record lies, by a file beside it. From elsewhere, by its entry in the store that its client shares (option
-- `store`): a session puts it there when it begins, looks at it every few seconds, which no send waits for, and takes
-- it away when it ends.

local errors = require "mde.base.error"
local json = require "mde.base.json"
local places = require "mde.run.place"

local LOOK_SECONDS = 5
-- The entry of a process that was killed stands so long, and means nothing.
local STAND_SECONDS = 7 * 86400

local M = { LOOK_SECONDS = LOOK_SECONDS }

-- ---- by a file

--- Whether a run was asked to stop.
---@param path string of the record
---@return boolean
function M.is_asked(path)
  local file = io.open(places.stop_of(path))
  if file then file:close() end
  return file ~= nil
end

--- Asks a run to stop; what it has sent is followed to its answer.
---@param path string of the record
---@return true?
---@return mde.Error? err
function M.ask(path)
  local file, problem = io.open(places.stop_of(path), "w")
  if file then
    file:close()
    return true
  end
  return nil, errors.new { kind = "invalid", code = "stop_not_written",
    message = ("the file that stops the run cannot be written: %s"):format(errors.show(problem)),
    hint = "Stop it with Ctrl-C, or as the user that runs it." }
end

--- Takes the wish to stop back.
---@param path string of the record
function M.take_back(path)
  os.remove(places.stop_of(path))
end

-- ---- by the store

local function name_of(id) return "run|" .. id end

local function read(text)
  local value = text and json.decode(text)
  return type(value) == "table" and value or nil
end

--- Asks a run that works elsewhere to stop.
---@param client mde.Client with the store of the run's
---@param id string of the run
---@return string? host on which it works
---@return mde.Error? err there is no store, it fails, or no session of the run is in it
function M.ask_elsewhere(client, id)
  local store = client.exchange.store
  if not store then
    return nil, errors.new { kind = "invalid", code = "run_missing",
      message = ("there is no run %s here, and no store by which one elsewhere could be asked"):format(
        errors.quote(id)),
      hint = "Stop it on its own host and as its own user, or name the store that it shares: MDE_STORE." }
  end
  local done, host = store:update(name_of(id), STAND_SECONDS, function(text)
    local entry = read(text)
    if not entry then return nil end
    entry.stop = true
    return json.encode(entry), type(entry.host) == "string" and entry.host or "another host"
  end)
  if not done then return nil, host end
  if host then return host end
  return nil, errors.new { kind = "invalid", code = "run_missing",
    message = ("there is no run %s here, and no session of it in %s"):format(errors.quote(id), store:name()),
    hint = "Give its id. It must have the tenant, the application and the store of this command." }
end

---@class mde.RunEntry of a session in the store
---@field private store? mde.Store
---@field private id string
---@field private gate? table
local Entry = {}
Entry.__index = Entry

-- Looks until it is told to stop, or the session has ended. A store that cannot be read says nothing here: the next
-- send needs it for the service's limits, and stops the run.
local function watch(entry, halt)
  while not entry.gate:wait(LOOK_SECONDS) do
    local value = entry.store:read(name_of(entry.id))
    if value and value.stop then
      return halt { rule = "asked", state = "stopped", message = "it was asked to stop from elsewhere (mde stop)" }
    end
  end
end

--- A session begins: from now on it can be stopped from elsewhere, if its client has a store.
---@param client mde.Client
---@param id string of the run
---@param host string
---@param halt fun(stop: mde.RunStop)
---@return mde.RunEntry
---@return mde.Error? err it cannot be stopped from elsewhere
function M.enter(client, id, host, halt)
  local store, driver = client.exchange.store, client.driver
  local entry = setmetatable({ id = id }, Entry)
  if not store or not driver.spawn then return entry end
  local written, err = store:write(name_of(id), { host = host }, STAND_SECONDS)
  if not written then return entry, err end
  entry.store, entry.gate = store, driver.gate()
  driver.spawn(function() watch(entry, halt) end)
  return entry
end

--- Whether it can be stopped from elsewhere.
---@return boolean
function Entry:is_shared() return self.store ~= nil end

--- The session has ended.
function Entry:leave()
  if not self.gate then return end
  self.gate:open()
  self.store:delete(name_of(self.id))
  self.gate = nil
end

return M
