--- marking: what `mde tag` and `mde untag` have in common.

local batch = require "mde.cli.batch.batch"
local errors = require "mde.base.error"
local list = require "mde.cli.batch.list"
local output = require "mde.cli.ui.output"
local pace = require "mde.cli.batch.pace"
local result = require "mde.cli.batch.result"
local rows = require "mde.cli.ui.rows"
local terminal = require "mde.cli.ui.terminal"

local M = {}

-- The last word is the tag.
local function take_tag(arguments)
  local tag = table.remove(arguments.devices)
  if not tag:find "%S" then
    errors.invalid("tag_empty", "the tag is empty", "An empty one is what a shell makes of a variable that is not set.")
  end
  if #arguments.devices == 0 and not arguments.list then
    errors.invalid("nothing_selected",
      ("%s is the tag, and no device is named"):format(errors.quote(tag)), "Write DEVICE... TAG.")
  end
  return tag
end

---@class mde.cli.MarkingRequest
---@field tag string
---@field entries mde.cli.Result[]

local function request_of(arguments)
  return { tag = take_tag(arguments), entries = list.entries(arguments) }
end

-- Sets or removes the tag on each device.
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
    ask = "mde machines machineTags=TAG", stop = stop })
  return batch.status(entries, complete)
end

---@class mde.cli.MarkingWords how it is told
---@field done string
---@field doing string
---@field label string of the progress

--- A subcommand that sets or removes a tag, which is the last word.
---@param method "tag"|"untag"
---@param words mde.cli.MarkingWords
---@param subcommand table what else init.lua asks of it
---@return table subcommand
function M.subcommand(method, words, subcommand)
  subcommand.name, subcommand.request = method, request_of

  function subcommand.configure(command)
    list.configure(command, "1+")
    command:flag("-q --quiet", "Show no progress, and say nothing but errors, warnings and results.")
    rows.configure(command)
    command:usage(("Usage: mde %s [-h] [-q] [--list <file>] [--column <column>] [--json | --csv]\n"
      .. "       <device> ... <tag>"):format(method))
  end

  function subcommand.run(context)
    return run(context, method, words)
  end

  return subcommand
end

return M
