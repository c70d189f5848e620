--- left: devices that are left as they are without a call for them, which are told to those who watch all the same.

local errors = require "mde.base.error"

local M = {}

--- Tells that a device is left.
---@param context mde.cli.Context its request is an mde.cli.ChangeRequest
---@param entry mde.cli.Result
---@param comment string
---@param err? mde.Error why, if neither the entry's `err` nor its `action` says so
function M.tell(context, entry, comment, err)
  local request = context.request
  err = err or entry.err
  local action = not err and entry.action or nil
  if not action and not errors.is(err) then return end
  context.client:tell_left(request.verb, entry.machine or entry.identity or entry.device, comment, request.options,
    action, err)
end

--- Tells of those that are done before anything is begun.
---@param context mde.cli.Context
---@param entries mde.cli.Result[]
---@param comment string
function M.tell_done(context, entries, comment)
  for _, entry in ipairs(entries) do
    if entry.done then M.tell(context, entry, comment) end
  end
end

return M
