--- response: the subcommands of the response actions, each made from its row (src/core/response_actions.h).
--
-- Those that have something of their own (restrict, release) are files in command/.

local all_of = require "mde.cli.batch.all_of"
local change = require "mde.cli.batch.change"
local core = require "mde.core"
local errors = require "mde.base.error"
local list = require "mde.cli.batch.list"
local rows = require "mde.cli.ui.rows"
local terminal = require "mde.cli.ui.terminal"
local whole_number = require "mde.cli.ui.whole_number"
local words = require "mde.cli.batch.words"

local HELP_COLUMNS = 100
local EXAMPLE_SHA1 = "3395856ce81f2b7382dee72602f798b642f14140"

local M = {}

-- "isolation_type" is --isolation-type.
local function option_name(field)
  return "--" .. field.option:gsub("_", "-")
end

-- ---- the options

local about = {
  isolation_type = "Full, or Selective, which leaves Outlook and Teams connected.",
  scan_type = "Quick, or Full, which takes hours.",
  sha1 = "The file's SHA-1, 40 hexadecimal digits; an alert's evidence has it.",
}

local function value_of(field)
  return function(value)
    if field.takes(value) then return value end
    return nil, field.kind == "sha1"
      and ("%s must be the file's SHA-1, 40 hexadecimal digits, not %s"):format(option_name(field), errors.quote(value))
      or ("%s must be %s, not %s"):format(option_name(field), table.concat(field.words, " or "), errors.quote(value))
  end
end

--- Declares what the row's fields take from the caller.
---@param command table of argparse
---@param row mde.core.ResponseAction
local function configure_fields(command, row)
  for _, field in ipairs(row.fields) do
    if field.option then
      local text = about[field.option] or ("The member %s of the request."):format(field.name)
      if field.value then text = ("%s (default %s)."):format(text:gsub("%.$", ""), field.value) end
      local option = command:option(option_name(field), text):convert(value_of(field)):overwrite(false)
        :argname(field.words[1] and "<" .. table.concat(field.words, "|") .. ">" or "<hash>")
      if not field.value then option:count(1) end
    end
  end
end

-- What takes something back is never guarded, and cancels a pending opposite anyway; so that both can be called alike.
local function configure_hidden(command)
  command:option("--allow"):hidden(true):count "*"
  command:option("--cap"):hidden(true):overwrite(false)
  command:flag("--cancel-opposite"):hidden(true)
end

--- Declares how the guard and the cap are lifted, where they hold.
---@param command table of argparse
---@param row mde.core.ResponseAction
function M.configure_limits(command, row)
  if row.opposite and not row.holds then return configure_hidden(command) end
  if row.holds or row.is_capped then
    command:option("--allow", "Lift a guard rule by its name, servers say; may be repeated."):argname "<rule>"
      :count "*"
  end
  if not row.is_capped then return end
  command:option("--cap", ("The most %ss%s in an hour (default 25)."):format(row.name,
    row.subject == "file" and " of the file" or "")):argname "<count>":convert(whole_number.parse):overwrite(false)
end

-- What a device is released from for all that an incident holds: it is in the library's list of that (mde.held).
local function has_all_of(row)
  return row.opposite ~= nil and not row.holds and not row.is_unmanaged
end

local function configure(command, row)
  list.configure(command, "*")
  if has_all_of(row) then all_of.configure(command, row.name) end
  configure_fields(command, row)
  change.configure(command, row.name)
  M.configure_limits(command, row)
  if row.holds then
    command:flag("--cancel-opposite", ("Cancel a %s that is still pending, instead of refusing."):format(
      words.of(row.opposite).noun))
    command:flag("--again", ("Those of a list, too, that somebody has %s or cancelled since they were %s for the same "
      .. "incident (without one: with the same comment) in the last 24 hours."):format(words.of(row.opposite).past,
      words.of(row.name).past))
  end
  rows.configure(command)
end

-- ---- what the help says besides

local function filled(text)
  return (terminal.wrap(text, HELP_COLUMNS):gsub("\n +", "\n"))
end

-- Whole days or hours.
local function span(seconds)
  local days = seconds / 86400
  if days % 1 == 0 then return ("%d day%s"):format(days, days == 1 and "" or "s") end
  return ("%d hours"):format(seconds / 3600)
end

local function explained(row)
  local parts = { filled(("Needs the application permission %s. Works on: %s."):format(row.permission,
    row.platforms)) }
  if row.offline_seconds > 0 then
    parts[#parts + 1] = filled(("For a device that is offline the service keeps it for %s."):format(
      span(row.offline_seconds)))
  end
  if row.holds then
    parts[#parts + 1] = ("What takes it back: mde %s."):format(row.opposite)
  elseif row.is_capped then
    parts[#parts + 1] = "Nothing takes it back over the API."
  end
  parts[#parts + 1] = change.explained
  return table.concat(parts, "\n\n")
end

local function examples(row)
  local needed = ""
  for _, field in ipairs(row.fields) do
    if field.option and not field.value then
      needed = (" %s %s"):format(option_name(field), field.kind == "sha1" and EXAMPLE_SHA1 or field.words[1])
    end
  end
  local list_of = {
    { ('mde %s laptop-17%s --comment "beacon to known C2" --incident INC-4711'):format(row.name, needed),
      "shows the machine and asks" },
    { ('mde %s --list suspects.csv%s --comment "same beacon" --yes --wait'):format(row.name, needed),
      "asks nobody, waits for all" },
  }
  list_of[3] = words.of(row.name).example
  if has_all_of(row) then
    list_of[3] = { ('mde %s --all-of INC-4711 --since 14h --comment "false alarm" --yes'):format(row.name),
      ("what this incident %s, and nobody else"):format(words.of(row.opposite).past) }
  end
  return list_of
end

-- ---- what is asked

-- The options of the function that the arguments give.
local function options_of(arguments, row)
  local allow = (row.holds or row.is_capped) and arguments.allow or {}
  local options = { cancel_opposite = row.holds and arguments.cancel_opposite or nil,
    allow = allow[1] and allow or nil }
  for _, field in ipairs(row.fields) do
    if field.option then options[field.option] = arguments[field.option] end
  end
  return options
end

local function request(arguments, row)
  local find
  if has_all_of(row) then
    all_of.check(arguments)
    find = arguments.all_of[1] and all_of.find(arguments, row.name) or nil
  end
  return change.request(arguments, row.name, options_of(arguments, row), find)
end

--- The subcommand of a response action.
---@param verb string the name of a row that makes an action
---@return mde.cli.Subcommand
function M.subcommand(verb)
  local row = core.response_actions[verb]
  return {
    name = verb, is_audited = true, summary = row.summary, explained = explained(row), examples = examples(row),
    configure = function(command) configure(command, row) end,
    request = function(arguments) return request(arguments, row) end,
    client_options = function(arguments)
      return { cap = row.is_capped and arguments.cap and { [verb] = arguments.cap } or nil }
    end,
    run = change.run,
  }
end

return M
