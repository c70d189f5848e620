--- log: the file that --log names: a line of JSON for each result of a device, appended as soon as it is known.
--
-- With --wait a device has a second line when the waiting ended. What was stopped or not begun has its line, too. A
-- disk that is full may cut a line short; what is appended later begins a line of its own.

local core = require "mde.core"
local errors = require "mde.base.error"
local exit = require "mde.cli.ui.exit"
local json = require "mde.base.json_line"
local posix = require "mde.posix"
local result = require "mde.cli.batch.result"
local terminal = require "mde.cli.ui.terminal"

-- A line is handed to the system in one piece, so that several commands may share a file.
local BUFFER_BYTES = 65536

local M = {}

---@class mde.cli.Log
---@field path string
---@field file file*
---@field before string what is written before the first line: the end of one that was cut short
---@field problem? string why nothing more is written

--- Declares the option.
---@param command table of argparse
function M.configure(command)
  command:option("--log", "Append a line of JSON to a file for each result of a device. The file is made for its owner "
    .. "alone."):argname "<file>":overwrite(false)
end

local function cannot_open(path, problem)
  errors.invalid("log_unwritable", ("the log %s cannot be opened: %s"):format(errors.quote(path), problem),
    "Nothing was done. Name another file, or leave out --log.")
end

local function ends_within_line(path)
  local file = io.open(path, "rb")
  local is_within = file and file:seek("end", -1) and file:read(1) ~= "\n" or false
  if file then file:close() end
  return is_within
end

--- The log that is asked for. Raises if nothing can be appended to it.
---@param path string?
---@return mde.cli.Log? log nil without a path
function M.open(path)
  if not path then return nil end
  if path == "" then
    errors.invalid("empty_text", "--log is empty; an empty shell variable?", "Give the path of a file.")
  end
  -- It is made for its owner alone, and is no symbolic link, no device and nothing that everybody may write.
  local made, problem = posix.locked_file.open(path)
  if not made then cannot_open(path, problem) end
  made:close()
  local file, message = io.open(path, "a")
  if not file then cannot_open(path, (message:gsub("^.*: ", ""))) end
  file:setvbuf("full", BUFFER_BYTES)
  return { path = path, file = file, before = ends_within_line(path) and "\n" or "" }
end

local function append(log, context, entry)
  if log.problem then return end
  local request = context.request
  local record = result.record(entry)
  record.time = core.timestamp.whole(context.client:now())
  record.verb, record.incident = request.verb, request.options.incident
  local ok, problem = log.file:write(log.before, json.encode(record), "\n")
  if ok then ok, problem = log.file:flush() end
  log.before = ""
  if ok then return end
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
