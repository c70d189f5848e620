--- stream: makes lines of OCSF of what a client tells, and numbers them.
--
--     mde.client { on_event = mde.audit.ocsf(function(line) queue:push(line) end) }
--
-- An event of a run has the number that stands in the run's record. All others are numbered from 1, behind a random id
-- that the stream draws with its first event, and a forked process draws of its own. Nothing here does I/O or waits, so
-- that a stream is the same in a script and in a web server.

local errors = require "mde.base.error"
local ocsf = require "mde.audit.ocsf"
local options_of = require "mde.base.options"
local posix = require "mde.posix"

local ID_BYTES = 10

local M = {}

---@class mde.AuditOptions
---@field user? string who is behind the program: the event's actor.user

-- Draws an id of this process.
local function draw(own)
  local generation = posix.fork.generation()
  if own.generation == generation then return end
  local bytes, problem = posix.entropy.bytes(ID_BYTES)
  if not bytes then error("an audit stream has no id: " .. problem, 0) end
  own.id = bytes:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end)
  own.generation, own.sequence = generation, 0
end

--- An `on_event` for a client that calls write(line, event) for each state change of a change.
---@param write fun(line: string, event: table) takes a line of JSON, without its end, and the event as a table
---@param options? mde.AuditOptions
---@param version? string of mde
---@return fun(event: table)
function M.new(write, options, version)
  if type(write) ~= "function" then
    errors.invalid("wrong_type", ("mde.audit.ocsf needs a function that takes a line, not %s"):format(
      errors.got(write)))
  end
  options = options_of.check(options, { user = "text" }, "mde.audit.ocsf")
  local own = {}
  return function(event)
    if event.event ~= "change" then return end
    local change = {}
    for name, value in pairs(event) do change[name] = value end
    -- Of a run the record says who, so that the line can be written again.
    if not change.run then
      change.user, change.version = options.user, version
      draw(own)
      own.sequence = own.sequence + 1
      change.stream, change.sequence = own.id, own.sequence
    end
    write(ocsf.line(change))
  end
end

return M
