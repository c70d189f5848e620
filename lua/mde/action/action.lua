--- action: one action of the service: read it, cancel it, find it again, wait for it.
--
-- What this library found out about an action stands in fields of its own beside the service's. Restricting and
-- releasing, which make actions, are change.lua's.

local collection = require "mde.api.pager"
local core = require "mde.core"
local errors = require "mde.base.error"
local listings = require "mde.action.listing"
local options_of = require "mde.base.options"
local own_names = require "mde.base.own_names"

local ACTION_SECONDS = 120
local PAGE_SECONDS = 300
local READ_SECONDS = 30

local FIRST_POLL_SECONDS = 2
local LONGEST_POLL_SECONDS = 30
local ABSENCE_SECONDS = 60

local PERMISSION = "Machine.RestrictExecution"

---@class mde.Action an action as the service tells it, and what this library found out about it
---@field id string
---@field type string
---@field status string Pending, InProgress, Succeeded, Failed, TimeOut or Cancelled
---@field machineId? string
---@field computerDnsName? string
---@field requestor? string
---@field requestorComment? string
---@field creationDateTimeUtc? string
---@field lastUpdateDateTimeUtc? string
---@field troubleshootInfo? string
---@field outcome? "accepted"|"already_active" of a restrict or release: the service took it, or had one already;
--- `status` says how far it is
---@field operation_id? string the operation id at the end of its comment
---@field incident? string the incident there
---@field attempts? integer how many times the request was sent (refused ones that were repeated count)
---@field reconciled? boolean the answer was lost, and the action was found in the device's list
---@field looked? boolean whether the device's history could be read before the send
---@field recorded? boolean false: already active under another incident, so yours stands nowhere
---@field also_ended? string[] of a release: the other incidents that held the device restricted until then, and who
--- did without one, in words
---@field comment_cut? boolean the service cut the comment short

local M = { WAIT_SECONDS = 600, PERMISSION = PERMISSION }

local methods = {}

local ours = own_names.new(methods, { "outcome", "operation_id", "incident", "attempts", "reconciled", "looked",
  "recorded", "also_ended", "comment_cut" })

local comment_problems = {
  empty = { "the comment is empty", "Say in a few words why; it is recorded in the service." },
  not_utf8 = { "the comment is not valid UTF-8", "Convert it to UTF-8 first." },
  nul = { "the comment has a NUL byte in it", "Remove it; the service would end the comment there." },
  too_long = { "the comment is longer than 850 characters", "Shorten it." },
  incident = { "the incident is not 1 to 64 of A-Z a-z 0-9 . _ # / -", "Give the incident's id alone." },
  operation = { "the key is not 8 to 64 of A-Z a-z 0-9 . _ -", "Give the id of what you act on, an alert say." },
}

local function check_comment(comment, incident, operation_id)
  if type(comment) ~= "string" then
    errors.invalid(comment == nil and "a comment is required"
      or ("the comment must be a string, not a %s"):format(type(comment)),
      "Say in a few words why; it is recorded in the service.")
  end
  local whole, problem = core.comment.compose(comment, incident, operation_id)
  if not whole then errors.invalid(comment_problems[problem][1], comment_problems[problem][2]) end
  return whole
end

--- Raises unless the comment can be recorded; the whole of it as it would be.
---@type fun(comment: any, incident: string?, operation_id: string): string
M.check_comment = check_comment

--- A row of the service as an action of this client. Whose it is stands in its comment.
---@param client mde.Client
---@param row table
---@param fields? table what this library found out about it
---@return mde.Action
local function adopt(client, row, fields)
  row["@odata.context"] = nil
  ours:drop(row)
  local _, incident, operation_id = core.comment.parse(row.requestorComment)
  row.incident, row.operation_id = incident, operation_id
  for name, value in pairs(fields or {}) do row[name] = value end
  return setmetatable(row, client.action_metatable)
end

M.adopt = adopt

-- What is compared and taken apart as text must be text where it is there at all.
local function has_texts(row)
  for _, name in ipairs { "type", "status", "machineId", "requestorComment" } do
    if row[name] ~= nil and type(row[name]) ~= "string" then return false, name .. " is not a text" end
  end
  return true
end

local function is_action(answer)
  if type(answer.id) ~= "string" or type(answer.status) ~= "string" then return false, "it is not a machine action" end
  return has_texts(answer)
end

--- Whether an answer is an action, or why not.
---@type fun(answer: table): boolean, string?
M.is_action = is_action

--- Whether a row of a list is an action that can be worked with, or why not.
M.is_row = has_texts

--- Tells the listing of the `each` in whose task this is called what was read of an action. Returns the row.
---@param client mde.Client
---@param row table?
---@return table? row
local function noted(client, row)
  local listing = listings.current(client)
  if listing and row then listing:add(row) end
  return row
end

M.note = noted

local function history_of(client, machine_id, deadline)
  local rows, err, absent = collection.read(client.exchange, "machineactions",
    "machineId eq " .. core.odata.literal(machine_id), has_texts, deadline)
  for _, row in ipairs(rows or {}) do noted(client, row) end
  if rows then client.recent:recall(machine_id, rows) end
  return rows, err, absent
end

--- The machine's restrict and release actions and all others that the service lists for it.
---@param client mde.Client
---@param machine_id string
---@param deadline mde.Deadline
---@return table[]? rows
---@return mde.Error? err
M.history = history_of

local function is_the_action(id)
  return function(answer)
    local ok, why = is_action(answer)
    if not ok then return false, why end
    return core.text.lower(answer.id) == core.text.lower(id), "it is another action than the one asked for"
  end
end

local function read(client, id, deadline)
  local row, err = client.exchange:call {
    method = "GET", path = "/machineactions/" .. core.odata.encode(id), kind = "read", api = "machineaction",
    permission = "Machine.Read.All", deadline = deadline, usable = is_the_action(id),
  }
  return noted(client, row), err
end

M.read_row = read

local function cancel_row(client, id, comment, deadline)
  local row, err, info = client.exchange:call {
    method = "POST", path = ("/machineactions/%s/cancel"):format(core.odata.encode(id)), kind = "action",
    api = "cancel", permission = PERMISSION, deadline = deadline, body = { Comment = comment },
    usable = is_the_action(id),
  }
  return noted(client, row), err, info
end

--- Asks the service to cancel an action. The answer, or nil and an error; and what the exchange tells of the call.
M.cancel_row = cancel_row

--- A function that sleeps until it is time to read again, each time for longer, the last time shortly before the
--- deadline; it returns false when there is no time left.
---@param exchange mde.Exchange
---@param deadline mde.Deadline
---@return fun(): boolean
function M.pace(exchange, deadline)
  local interval, last = FIRST_POLL_SECONDS, false
  return function()
    local remaining = deadline:left()
    if last or remaining <= 0 then return false end
    local most = remaining - math.min(1, remaining / 2)
    last = interval >= most
    exchange.sleep(math.min(interval, most))
    interval = math.min(interval * 1.5, LONGEST_POLL_SECONDS)
    return true
  end
end

local passing = { unavailable = true, throttled = true, protocol = true }

--- Whether an error while an action is awaited may be gone the next time: an action that was only just made may
--- be unknown for a moment.
---@param err mde.Error
---@param seconds number since the wait began
---@return boolean
function M.may_pass(err, seconds)
  return passing[err.kind] or err.kind == "not_found" and seconds < ABSENCE_SECONDS
end

-- Why a row cannot be this action at a later time, although it has its id; nil if it can.
local function mismatch(action, row)
  for _, name in ipairs { "machineId", "type" } do
    local own, other = action[name], row[name]
    if own ~= nil and other ~= nil and core.text.lower(tostring(own)) ~= core.text.lower(tostring(other)) then
      return errors.new { kind = "protocol", message = ("action %s: the service's answer has the %s %s, not %s")
        :format(errors.show(action.id), name, errors.show(tostring(other)), errors.show(tostring(own))) }
    end
  end
end

--- Brings an action up to what was read of it. nil, error if that is about another one.
---@param row table the action, changed in place
---@param fresh table
---@return boolean? updated
---@return mde.Error? err
function M.update(row, fresh)
  local problem = mismatch(row, fresh)
  if problem then return nil, problem end
  for name, value in pairs(fresh) do
    if name ~= "@odata.context" and not ours:has(name) then row[name] = value end
  end
  return true
end

-- Reads an action until it is final. nil, error if it is not final in time (no error if it could be read) or if it
-- cannot be read.
local function follow(client, row, deadline)
  local exchange = client.exchange
  local started, may_read_again, problem = exchange.now(), M.pace(exchange, deadline), nil
  while core.history.status(row.status) == "pending" do
    if not may_read_again() then return nil, problem end
    local fresh, err = read(client, row.id, deadline)
    if fresh then
      local updated
      updated, err = M.update(row, fresh)
      if not updated then return nil, err end
    elseif not M.may_pass(err, exchange.now() - started) then
      return nil, err
    end
    problem = err
  end
  if row.machineId then client.recent:remember(row.machineId, row) end
  return row
end

--- Reads an action until it is final.
---@type fun(client: mde.Client, row: table, deadline: mde.Deadline): table?, mde.Error? nil if it is not final in time,
--- without an error if it could be read
M.follow = follow

--- Who else than an incident holds a machine restricted, in words: other incidents, and who did it without one. Where
--- no incident is asked for, the incidents that do.
---@param rows table[] the machine's actions
---@param machine_id string
---@param incident? string
---@param latest number Unix seconds, after which no time of an action is usable
---@return string[]
function M.other_holders(rows, machine_id, incident, latest)
  local _, others = core.history.holders(rows, machine_id, { incident }, nil, latest)
  local holders, seen = {}, {}
  for _, row in ipairs(others) do
    local _, named = core.comment.parse(row.requestorComment)
    local holder = named or incident and ("%s (no incident)"):format(errors.show(row.requestor or "somebody"))
    if holder and not seen[core.text.lower(holder)] then
      seen[core.text.lower(holder)] = true
      holders[#holders + 1] = holder
    end
  end
  table.sort(holders, function(a, b) return core.text.before(core.text.lower(a), core.text.lower(b)) end)
  return holders
end

--- Does what must not be left half done where a host drops its caller meanwhile. It has the listing of the caller.
---@param client mde.Client
---@param ends number when the caller's own time is over, by the driver's clock
---@param work fun(...): any, any
---@return any value
---@return mde.Error? err
local function to_its_end(client, ends, work, ...)
  if listings.current(client) then work = listings.shared(client, work, has_texts) end
  return client.exchange.flights:see_through(ends, work, ...)
end

M.to_its_end = to_its_end

local function check_id(action, what)
  local id = type(action) == "table" and action.id or action
  local kind = type(id) == "string" and core.odata.kind(id)
  if kind ~= "guid" then
    errors.invalid(("%s: %s is not an action or an action's id (a GUID)"):format(what, errors.got(id)),
      "Give what mde.restrict, mde.release or mde.actions returned, or its id.")
  end
  return id
end

--- Reads one action.
---@param client mde.Client
---@param id string
---@param options? { timeout?: number }
---@return mde.Action? action
---@return mde.Error? err
function M.read(client, id, options)
  options = options_of.check(options, { timeout = "seconds" }, "mde.action")
  local known = type(id) == "table" and id or {}
  id = check_id(id, "mde.action")
  local row, err = read(client, id, client:deadline(client:begin(options.timeout), ACTION_SECONDS))
  if row then err = mismatch(known, row) end
  if err then return nil, errors.about(err, "action " .. errors.quote(id)) end
  return adopt(client, row)
end

local function cancel_in_time(client, id, comment, call, told)
  local answer, problem
  answer, problem, told.info = cancel_row(client, id, comment, client:deadline(call, ACTION_SECONDS))
  return answer, problem
end

--- Cancels an action that is not final yet. Cancelling one that is cancelled already succeeds.
---@param client mde.Client
---@param action mde.Action|string
---@param comment string
---@param options? { timeout?: number }
---@return mde.Action? action
---@return mde.Error? err
function M.cancel(client, action, comment, options)
  options = options_of.check(options, { timeout = "seconds" }, "mde.cancel")
  local id = check_id(action, "mde.cancel")
  check_comment(comment, nil, "checked-here")
  local asked = "cancel action " .. errors.quote(id)
  local call = client:begin(options.timeout)
  local told = {}
  local row, err = to_its_end(client, call.ends, cancel_in_time, client, id, comment, call, told)
  local info = told.info or {}
  if err and err.kind ~= "unknown" and not (info.response and info.response.status == 400) then
    return nil, errors.about(err, asked)
  end
  if not row or core.history.status(row.status) ~= "cancelled" then
    row = read(client, id, client:deadline(call, READ_SECONDS)) or row
  end
  local problem = row and mismatch(type(action) == "table" and action or {}, row)
  if problem then return nil, errors.about(problem, asked) end
  local status = row and core.history.status(row.status)
  if status == "cancelled" then
    if row.machineId then client.recent:remember(row.machineId, row) end
    return adopt(client, row)
  end
  if status and status ~= "pending" then
    err = errors.new { kind = "conflict", action = adopt(client, row), http_status = err and err.http_status,
      code = err and err.code, message = ("it has ended already: %s"):format(errors.show(row.status)),
      hint = status == "succeeded" and "To undo it, send the opposite." or "There is nothing left to cancel." }
  elseif not err then
    err = errors.new { kind = "pending", action = adopt(client, row),
      message = ("the service took the cancellation, but the action is still %s"):format(errors.show(row.status)),
      hint = "Read the action again, and cancel it again if it stays so." }
  elseif err.kind == "unknown" then
    err.hint = "Read the action again, and cancel it again if it is still pending."
  end
  return nil, errors.about(err, asked)
end

--- Asks the service whether an action of unknown fate exists, and how far it is.
---@param client mde.Client
---@param err mde.Error|table with machine_id, operation_id, and verb if only that is meant
---@param options? { timeout?: number }
---@return mde.Action? action whose `outcome` is "accepted": the service took it. Its `status` says how far it is,
--- which may be Failed or Cancelled; action:wait() returns nil and an error then
---@return mde.Error? problem of kind not_found if the service lists no such action
function M.find(client, err, options)
  options = options_of.check(options, { timeout = "seconds" }, "mde.find_action")
  if type(err) ~= "table" or type(err.machine_id) ~= "string" or type(err.operation_id) ~= "string" then
    errors.invalid("mde.find_action needs an error of kind unknown, or a table with machine_id and operation_id")
  end
  local machine_id = core.text.lower(err.machine_id)
  if core.odata.kind(machine_id) ~= "machine_id" then
    errors.invalid(("machine_id %s is not a machine id (40 hex digits)"):format(errors.quote(err.machine_id)))
  end
  local asked = ("find action with operation id %s"):format(errors.quote(err.operation_id))
  local rows, problem = history_of(client, machine_id,
    client:deadline(client:begin(options.timeout), PAGE_SECONDS))
  if not rows then return nil, errors.about(problem, asked) end
  for _, verb in ipairs { "restrict", "release" } do
    local row = (err.verb == nil or err.verb == verb) and core.history.find(rows, machine_id, verb, err.operation_id)
    if row then
      return adopt(client, row, { outcome = "accepted" })
    end
  end
  return nil, errors.new { kind = "not_found", asked = asked,
    message = ("machine %s has no action with that id in its list"):format(errors.show(machine_id)),
    hint = "The list may lag behind by some seconds; ask once more before you act." }
end

--- What an awaited action came to.
---@param action mde.Action as it was read last
---@param seconds number how long it was waited for
---@param problem? mde.Error why it could not be read in the end
---@return "Succeeded"?
---@return mde.Error? err of kind failed, cancelled or pending, or the problem if that is here to stay
function M.result(action, seconds, problem)
  local asked = ("wait for %s of %s"):format(errors.show(action.type),
    errors.show(action.computerDnsName or action.machineId or "the machine"))
  if problem and problem.kind ~= "unavailable" and problem.kind ~= "throttled" then
    return nil, errors.about(problem, asked)
  end
  local status = core.history.status(action.status)
  if status == "succeeded" then return "Succeeded" end
  local fields = { asked = asked, action = action }
  if status == "pending" then
    fields.kind = "pending"
    fields.message = ("still %s after %s seconds"):format(errors.show(action.status), core.number.write(seconds))
      .. (problem and " (last read: " .. problem.message .. ")" or "")
    fields.hint = "An offline device carries it out when it is back. Wait again, or cancel it."
  elseif status == "cancelled" then
    fields.kind = "cancelled"
    fields.message = ("cancelled by %s: %s"):format(errors.show(action.cancellationRequestor or "somebody"),
      errors.quote(action.cancellationComment or ""))
  else
    fields.kind = "failed"
    fields.message = ("ended as %s%s"):format(errors.show(action.status),
      action.troubleshootInfo and ": " .. errors.show(action.troubleshootInfo) or "")
    fields.hint = "The device is as it was before."
  end
  return nil, errors.new(fields)
end

--- Waits until the action is final.
---@param options? { timeout?: number } seconds, default 600
---@return "Succeeded"?
---@return mde.Error? err of kind failed, cancelled or pending, or why it could not be read
function methods.wait(client, action, options)
  options = options_of.check(options, { timeout = "seconds" }, "action:wait")
  local seconds = options.timeout or M.WAIT_SECONDS
  local _, problem = follow(client, action, client:deadline(client:begin(seconds), seconds))
  return M.result(action, seconds, problem)
end

methods.cancel = M.cancel

--- The metatable of a client's actions.
---@param client mde.Client
---@return table
function M.metatable(client)
  return { __name = "mde.action", __index = own_names.bind(methods, client), __tostring = function(action)
    return ("%s of %s: %s"):format(errors.show(action.type),
      errors.show(action.computerDnsName or action.machineId or "a machine"), errors.show(action.status))
  end }
end

return M
