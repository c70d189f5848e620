--- sieve: which actions are meant by their comment: by the incident in it, or by a part of it.
--
-- The service takes no filter by these. So what the other conditions select is read, all of it, and told apart here.

local core = require "mde.core"
local errors = require "mde.base.error"
local incident_names = require "mde.cli.ui.incidents"

local M = {}

M.explained = [[
--incident and --comment are compared here, since the service takes no filter by comments. So every
action that the other conditions select is read, in more pages than with a filter in OData; a time
among the conditions makes that fewer. A comment is compared with the [mde:...] at its end.]]

--- Declares the options.
---@param command table of argparse
function M.configure(command)
  command:option("--incident", "Actions of this incident, by the end of their comment."):argname "<incident>"
    :overwrite(false)
  command:option("--comment", "Actions whose comment has this text in it; A to Z and a to z are the same.")
    :argname "<text>":overwrite(false)
end

local function is_of(incident)
  local name = core.text.lower(incident)
  return function(action) return action.incident ~= nil and core.text.lower(action.incident) == name end
end

local function has_text(text)
  text = core.text.lower(text)
  return function(action)
    local comment = action.requestorComment
    return comment ~= nil and core.text.lower(comment):find(text, 1, true) ~= nil
  end
end

--- What tells the actions that are meant. Raises for what cannot be asked.
---@param arguments table as argparse leaves them
---@return (fun(action: mde.Action): boolean)? is_meant nil if neither is asked
function M.read(arguments)
  local by_incident, by_text
  if arguments.incident then
    incident_names.check("--incident", { arguments.incident })
    by_incident = is_of(arguments.incident)
  end
  if arguments.comment == "" then errors.invalid("empty_text", "--comment is empty; an empty shell variable?") end
  if arguments.comment then by_text = has_text(arguments.comment) end
  if not by_incident or not by_text then return by_incident or by_text end
  return function(action) return by_incident(action) and by_text(action) end
end

return M
