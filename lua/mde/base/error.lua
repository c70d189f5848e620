--- error: what is told when something did not happen.
--
-- An error says what was asked, what happened and what to do now, in one line. It is a table, so that
-- a program can decide by `kind`, and it prints as that line. A wrong argument raises one; the outside
-- world failing returns `nil, error`.

local core = require "mde.core"

---@alias mde.ErrorKind
---| "auth"        # sign-in failed: the credential, the tenant or the application
---| "permission"  # signed in, but an application permission is missing
---| "not_found"   # no such device or action
---| "ambiguous"   # several devices answer to the name, or what a list says of one does not agree; see `candidates`
---| "invalid"     # a wrong argument or setting, or a list that cannot be read
---| "protected"   # a guard rule forbids it; see `rule`
---| "conflict"    # the opposite action is still pending; see `action`
---| "throttled"   # the service asks to wait until `retry_at`
---| "refused"     # the service said no
---| "unavailable" # the service could not be reached or is down; nothing was done
---| "protocol"    # an answer that makes no sense
---| "unknown"     # sent, but its outcome could not be established
---| "superseded"  # a newer opposite decision exists; see `action`
---| "failed"      # the action ended without success
---| "pending"     # the action was not final when the time was up
---| "cancelled"   # the action was cancelled

---@class mde.Error
---@field kind mde.ErrorKind
---@field message string what happened
---@field where? string of a wrong argument: the caller's file and line, "playbook.lua:12"
---@field asked? string what was asked, in the caller's words: `restrict "laptop-17"`
---@field hint? string what to do now
---@field http_status? integer
---@field code mde.ErrorCode|string for programs: what the service or the sign-in service said, else one of ours
---@field request_id? string what the service's support asks for
---@field retry_at? number Unix seconds
---@field age? number seconds since a failed sign-in, which is told again instead of tried again
---@field rule? mde.Rule the rule of the guard that forbids it
---@field permission? string of a 403: the permission that the token certainly lacks
---@field candidates? mde.Machine[] the devices to choose from
---@field action? mde.Action the action that stands in the way
---@field verb? string of an `unknown` outcome
---@field operation_id? string of an `unknown` outcome
---@field machine_id? string of an `unknown` outcome, or of a protected machine
---@field sent_at? number Unix seconds, of an `unknown` outcome
---@field comment? string the whole of it as it was sent, of an `unknown` outcome
---@field subject? string the scope or the file's SHA-1, of an `unknown` outcome
---@field keyed? boolean of an `unknown` outcome: `operation_id` is the caller's own key
---@field results? mde.Results what mde.each had done when its iterator raised this
---@field cause? any what has led to it: an error that this one tells with others, or what an iterator raised
local Error = { __name = "mde.error" }

local M = {}

--- A text made safe to show in one line: what would act on a terminal, or would not show, is written as `\x1b`, all
--- else stays.
---@type fun(text: string): string
M.escape = core.show.line

-- What has no text of its own but an address, which tells nobody anything.
local function is_addressed(value)
  local kind, metatable = type(value), getmetatable(value)
  if kind == "table" then return not (type(metatable) == "table" and metatable.__tostring) end
  return kind ~= "string" and kind ~= "number" and kind ~= "boolean" and kind ~= "nil"
end

--- A value from outside, escaped and cut to a length that leaves room for the rest of the line.
---@param value any
---@return string
function M.show(value)
  local named, text = false, nil
  if not is_addressed(value) then named, text = pcall(tostring, value) end
  if not named then text = "a " .. type(value) end
  -- Not within a character.
  if #text > 300 then text = text:sub(1, 297):gsub("[\192-\255][\128-\191]*$", "") .. "..." end
  return M.escape(text)
end

--- The same between double quotes, where it is a text.
---@param value any
---@return string
function M.quote(value)
  return is_addressed(value) and M.show(value) or '"' .. M.show(value) .. '"'
end

--- A value that is not what was wanted, behind "not": a text between double quotes, all else as it is.
---@param value any
---@return string
function M.got(value)
  return type(value) == "string" and M.quote(value) or M.show(value)
end

local function sentence(text)
  return text:find "[.!?]$" and text or text .. "."
end

function Error:__tostring()
  local line = self.message
  if self.asked then line = self.asked .. ": " .. line end
  if self.hint then line = sentence(line) .. " " .. self.hint end
  if self.where then line = self.where .. ": " .. line end
  return M.escape(line)
end

--- So that an error may be put into a text as a string error may.
function Error.__concat(a, b)
  return tostring(a) .. tostring(b)
end

--- A new error from its fields.
---@param fields table
---@return mde.Error
function M.new(fields)
  return setmetatable(fields, Error)
end

-- ---- wrong arguments

local getinfo = type(debug) == "table" and debug.getinfo

-- How the sources of this library are called, and those of its command, which is no user's program.
local own_sources = getinfo and getinfo(1, "S").source:match "^(@.*/)base/error%.lua$"
local command_sources = own_sources and own_sources .. "cli/"

local function begins_with(text, beginning)
  return text:sub(1, #beginning) == beginning
end

--- The line that called this library: the innermost one outside of it that can be told. nil for the command, and where
--- a coroutine began with a function of the library. What a chunk without a name consists of is not shown.
---@return string? line "playbook.lua:12"
function M.calling_line()
  if not own_sources then return nil end
  local level, info = 2, getinfo(2, "Sl")
  while info do
    if begins_with(info.source, command_sources) then return nil end
    if info.currentline > 0 and not begins_with(info.source, own_sources) then
      return ("%s:%d"):format(info.source:find "^[@=]" and info.short_src or "[string]", info.currentline)
    end
    level = level + 1
    info = getinfo(level, "Sl")
  end
end

--- Raises an error of kind `invalid`: a wrong argument. It tells the line that called this library.
---@param code mde.ErrorCode
---@param message string
---@param hint? string
function M.invalid(code, message, hint)
  error(M.new { kind = "invalid", code = code, message = message, hint = hint, where = M.calling_line() }, 0)
end

--- Tells of a wrong argument, which a function of the caller's raised, the line where that function begins, if no line
--- could be told: one that ends with `return mde.restrict(...)` is left when that raises.
---@param problem any what the function raised
---@param fn function
function M.locate(problem, fn)
  if not own_sources or not M.is(problem) or problem.kind ~= "invalid" or problem.where then return end
  local info = getinfo(fn, "S")
  if info.linedefined > 0 and not begins_with(info.source, own_sources) then
    problem.where = ("%s:%d"):format(info.source:find "^[@=]" and info.short_src or "[string]", info.linedefined)
  end
end

--- Calls fn(...) for what comes from outside, where no line of the caller's is to blame: an error of ours that it
--- raises is returned, without the line.
---@param fn fun(...): any, any
---@return boolean ok
---@return any value what fn returned, or the error
---@return any more
function M.try(fn, ...)
  local ok, value, more = pcall(fn, ...)
  if ok then return true, value, more end
  if not M.is(value) then error(value, 0) end
  value.where = nil
  return false, value
end

--- Calls fn(...); an error of ours that it raises is raised as `invalid`, about what the user calls by this name.
---@param name string
---@param fn fun(...): any
---@return any value what fn returned
function M.under_name(name, fn, ...)
  local ok, value = M.try(fn, ...)
  if ok then return value end
  M.invalid(value.code, ("%s: %s"):format(name, value.message), value.hint)
end

---@param value any
---@return boolean
function M.is(value)
  return getmetatable(value) == Error
end

--- A copy of an error with other fields in the place of its own. The original may be shared by many callers.
---@param err mde.Error
---@param fields table
---@return mde.Error
function M.derive(err, fields)
  local copy = {}
  for key, value in pairs(err) do copy[key] = value end
  for key, value in pairs(fields) do copy[key] = value end
  return M.new(copy)
end

--- The code of an error if the service or the sign-in service gave it. Ours are in lower case, as theirs are not.
---@param err mde.Error
---@return string?
function M.service_code(err)
  local code = err.code
  return type(code) == "string" and not code:find "^[a-z_]+$" and code or nil
end

--- An error that another one has led to, its `cause`. The message says what happened and then why; what the fields do
--- not give is the cause's, and so is the code if the service gave it.
---@param err mde.Error
---@param fields table with a code and a message
---@return mde.Error
function M.wrap(err, fields)
  fields.message, fields.cause = fields.message .. ": " .. err.message, err
  fields.code = M.service_code(err) or fields.code
  return M.derive(err, fields)
end

--- The hint of an error, and another one behind it.
---@param err mde.Error
---@param hint string
---@return string
function M.and_hint(err, hint)
  return err.hint and err.hint .. " " .. hint or hint
end

--- A copy that also says what was asked.
---@param err mde.Error
---@param asked string
---@return mde.Error
function M.about(err, asked)
  if not M.is(err) or err.asked then return err end
  return M.derive(err, { asked = asked })
end

return M
