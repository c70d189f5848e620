--- marking: what `mde tag`, `mde untag` and `mde set-device-value` have in common.

local batch = require "mde.cli.batch.batch"
local core = require "mde.core"
local errors = require "mde.base.error"
local list = require "mde.cli.batch.list"
local output = require "mde.cli.ui.output"
local pace = require "mde.cli.batch.pace"
local result = require "mde.cli.batch.result"
local rows = require "mde.cli.ui.rows"
local terminal = require "mde.cli.ui.terminal"

local M = {}

-- The last word is the tag, or the value.
local function take_tag(arguments, words)
  local tag = table.remove(arguments.devices)
  if not tag:find "%S" then
    errors.invalid("tag_empty", ("the %s is empty"):format(words.what),
      "An empty one is what a shell makes of a variable that is not set.")
  end
  if #arguments.devices == 0 and not arguments.list then
    errors.invalid("nothing_selected",
      ("%s is the %s, and no device is named"):format(errors.quote(tag), words.what),
      ("Write DEVICE... %s."):format(core.text.upper(words.what)))
  end
  if words.check then words.check(tag) end
  return tag
end

---@class mde.cli.MarkingRequest
---@field tag string
---@field entries mde.cli.Result[]

local function request_of(arguments, words)
  return { tag = take_tag(arguments, words), entries = list.entries(arguments) }
end

-- Sets or removes it on each device.
local function run(context, method, words)
  local client, entries, tag = context.client, context.request.entries, context.request.tag
  local remark = pace.remark(#entries, words.doing)
  if remark then terminal.remark(remark) end
  local writer = context.format ~= "text" and rows.new(context, result.columns, result.record)
  local complete, stop = batch.run(context, entries, function(entry)
    local err
    entry.machine, err = client[method](client, entry.identity or entry.device, tag)
    return entry.machine, err
  end, { label = words.label, patience = 2, show = function(entry)
    if writer then
      writer.add(entry)
    elseif entry.err then
      batch.complain(entry)
    else
      output.write(("%s: %s %s\n"):format(result.name(entry), words.done, errors.quote(tag)))
    end
  end })
  batch.say_end(entries, complete, { noun = "device", outcome = function() return words.done end,
    ask = words.ask or "mde machines machineTags=TAG", stop = stop })
  return batch.status(entries, complete)
end

---@class mde.cli.MarkingWords how it is told
---@field done string
---@field doing string
---@field label string of the progress
---@field what? string default "tag"
---@field check? fun(word: string) raises for what it cannot be
---@field ask? string the command that shows it

--- A subcommand that sets or removes a tag, or what else is the last word.
---@param method "tag"|"untag"|"set_device_value"
---@param words mde.cli.MarkingWords
---@param subcommand table what else init.lua asks of it
---@return table subcommand
function M.subcommand(method, words, subcommand)
  subcommand.name = method:gsub("_", "-")
  words.what = words.what or "tag"

  function subcommand.request(arguments)
    return request_of(arguments, words)
  end

  function subcommand.configure(command)
    list.configure(command, "1+")
    command:flag("-q --quiet", "Show no progress, and say nothing but errors, warnings and results.")
    rows.configure(command)
    command:usage(("Usage: mde %s [-h] [-q] [--list <file>] [--column <column>] [--json | --csv]\n"
      .. "       <device> ... <%s>"):format(subcommand.name, words.what))
  end

  function subcommand.run(context)
    return run(context, method, words)
  end

  return subcommand
end

return M
