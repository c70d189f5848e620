--- log: the file that --log names: a line of JSON for each result of a device, appended as soon as it is known. It says
--- what was asked for, with the scope or the file, whatever came of it.
--
-- With --wait a device has a second line when the waiting ended. What was stopped or not begun has its line, too.

local core = require "mde.core"
local errors = require "mde.base.error"
local exit = require "mde.cli.ui.exit"
local json = require "mde.base.json_line"
local line_file = require "mde.cli.ui.line_file"
local plans = require "mde.cli.batch.plan"
local result = require "mde.cli.batch.result"
local terminal = require "mde.cli.ui.terminal"

local M = {}

---@class mde.cli.Log
---@field path string
---@field file mde.cli.LineFile
---@field problem? string why nothing more is written

--- Declares the option.
---@param command table of argparse
function M.configure(command)
  command:option("--log", "Append a line of JSON to a file for each result of a device. The file is made for its owner "
    .. "alone."):argname "<file>":overwrite(false)
end

--- The log that is asked for. Raises if nothing can be appended to it.
---@param path string?
---@return mde.cli.Log? log nil without a path
function M.open(path)
  if not path then return nil end
  if path == "" then
    errors.invalid("empty_text", "--log is empty; an empty shell variable?", "Give the path of a file.")
  end
  local file, problem = line_file.open(path)
  if not file then
    errors.invalid("log_unwritable", ("the log %s cannot be opened: %s"):format(errors.quote(path), problem),
      "Nothing was done. Name another file, or leave out --log.")
  end
  return { path = path, file = file }
end

local function append(log, context, entry)
  if log.problem then return end
  local request = context.request
  local record = result.record(entry)
  record.time = core.timestamp.whole(context.client:now())
  record.verb, record.incident = request.verb, request.options.incident
  for name, value in pairs(plans.subject(request)) do record[name] = value end
  local written, problem = log.file:append(json.encode(record))
  if written then return end
  log.problem = problem
  terminal.complain(("mde: the log %s cannot be written: %s; the results from %s on are not in it"):format(
    errors.quote(log.path), problem, errors.quote(entry.device)))
end

--- What tells results and keeps them in the log, too, if there is one.
---@param tell { show?: fun(entry: mde.cli.Result), finish: fun(entries: mde.cli.Result[]) }
---@param context mde.cli.Context its request is an mde.cli.ChangeRequest
---@return { show?: fun(entry: mde.cli.Result), finish: fun(entries: mde.cli.Result[]) }
function M.beside(tell, context)
  local log, kept = context.request.log, {}
  if not log then return tell end
  return {
    show = function(entry)
      kept[entry] = true
      append(log, context, entry)
      if tell.show then tell.show(entry) end
    end,
    finish = function(entries)
      for _, entry in ipairs(entries) do
        local has_ended = entry.action and (entry.waited or entry.err)
        if has_ended or not kept[entry] then append(log, context, entry) end
      end
      log.file:close()
      tell.finish(entries)
    end,
  }
end

--- The exit status for what the log has not taken.
---@param log mde.cli.Log?
---@return integer
function M.status(log)
  return log and log.problem and exit.unavailable or exit.done
end

return M
