--- audit: the file that --audit or MDE_AUDIT names: a line of OCSF for each state change of a change; see
-- audit/audit.md.
--
-- It is opened before anything is sent. That a line cannot be written later is told once, and stops nothing: what a run
-- does stands in its record.

local errors = require "mde.base.error"
local line_file = require "mde.cli.ui.line_file"
local mde = require "mde"
local output = require "mde.cli.ui.output"
local terminal = require "mde.cli.ui.terminal"
local variables = require "mde.base.environment"

local VARIABLE, STANDARD_OUTPUT = "MDE_AUDIT", "-"

local M = {}

--- Declares the option.
---@param command table of argparse
function M.configure(command)
  command:option("--audit", "Append an audit event (OCSF, a line of JSON) to a file for each state change: accepted, "
    .. "succeeded, left by a rule. The file is made for its owner alone (default MDE_AUDIT; of mde run, mde resume "
    .. "and mde undo, - is standard output)."):argname "<file>":overwrite(false)
end

-- What takes a line: true, or false and why not.
local function writer(path, name, output_is_free)
  if path == STANDARD_OUTPUT and output_is_free then
    return function(line)
      return output.write(line .. "\n") and output.flush(), "nobody reads standard output any more"
    end
  elseif path == STANDARD_OUTPUT then
    errors.invalid("audit_beside_results", ("%s is -, and standard output has the results here"):format(name),
      "Nothing was done. Name a file.")
  elseif path == "" then
    errors.invalid("empty_text", name .. " is empty; an empty shell variable?", "Give the path of a file.")
  end
  local file, problem = line_file.open(path)
  if not file then
    errors.invalid("audit_unwritable", ("the audit file %s (%s) cannot be opened: %s"):format(errors.quote(path), name,
      problem), "Nothing was done. Name another file, or leave it out.")
  end
  return function(line) return file:append(line) end
end

--- An `on_event` that writes what is to be audited. Raises if it cannot be.
---@param arguments table as argparse leaves them
---@param output_is_free? boolean no results go to standard output
---@return (fun(event: table))? on_event nil if nothing is
function M.open(arguments, output_is_free)
  local path, name = arguments.audit, "--audit"
  if path == nil then path, name = variables.get(VARIABLE), VARIABLE end
  if path == nil or arguments.dry_run then return nil end
  local write, has_failed = writer(path, name, output_is_free), false
  return mde.audit.ocsf(function(line, event)
    local written, problem = write(line)
    if written or has_failed then return end
    has_failed = true
    terminal.complain(("mde: the audit file %s cannot be written: %s; event %s is missing in it, and others may be")
      :format(errors.quote(path), errors.show(problem), event.metadata.uid))
  end, { user = variables.get "LOGNAME" or variables.get "USER" })
end

return M
