--- mde release: takes restrictions back, of named devices or of all that an incident holds.

local change = require "mde.cli.batch.change"
local core = require "mde.core"
local duration = require "mde.cli.ui.duration"
local errors = require "mde.base.error"
local list = require "mde.cli.batch.list"
local mde = require "mde"
local rows = require "mde.cli.ui.rows"
local terminal = require "mde.cli.ui.terminal"

local M = {
  name = "release",
  summary = "Let devices run any code again.",
  explained = change.explained,
  examples = {
    { 'mde release laptop-17 --comment "cleared by forensics" --incident INC-4711', "shows the machine and asks" },
    { 'mde release --all-of INC-4711 --since 14h --comment "false alarm" --yes',
      "what this incident restricted, and nobody else" },
  },
}

--- Declares the options.
---@param command table of argparse
function M.configure(command)
  list.configure(command, "*")
  command:option("--all-of", "Every device that this incident holds restricted, and no other does. Instead of "
    .. "devices; may be repeated."):argname "<incident>":count "*"
  command:option("--since", "With --all-of: what was restricted that long ago or later."):argname "<time>"
    :convert(duration.parse):overwrite(false)
  change.configure(command, "release")
  -- A release is never guarded, and cancels a pending restrict anyway; so that both can be called alike.
  command:option("--allow"):hidden(true):count "*"
  command:option("--cap"):hidden(true):overwrite(false)
  command:flag("--cancel-opposite"):hidden(true)
  rows.configure(command)
end

local function name_of(machine)
  local name = machine.computerDnsName
  return name ~= "" and name or machine.id
end

local function name_others(machine)
  return ("Left restricted: %s, held too by %s"):format(errors.show(name_of(machine)),
    errors.show(table.concat(machine.incidents or {}, ", ")))
end

-- How to release a machine for all incidents that hold it; nothing where somebody holds it without one.
local function release_for_all(machine, incidents)
  local words, named = {}, {}
  local function add(incident)
    if named[core.text.lower(incident)] then return end
    named[core.text.lower(incident)] = true
    words[#words + 1] = "--all-of " .. errors.show(incident)
  end
  for _, incident in ipairs(incidents) do add(incident) end
  for _, action in ipairs(machine.others or {}) do
    if not action.incident then return "" end
    add(action.incident)
  end
  return (" To release it for all: mde release %s."):format(table.concat(words, " "))
end

-- The devices that these incidents hold. Those that others hold too are named.
local function held_by(incidents, since)
  return function(client)
    local machines, err = client:restricted {
      incident = incidents[2] and incidents or incidents[1],
      since = since and mde.ago(since),
    }
    if not machines then error(err, 0) end
    for _, machine in ipairs(machines.shared) do
      terminal.say(name_others(machine) .. "." .. release_for_all(machine, incidents))
    end
    for _, action in ipairs(machines.unattributed) do
      terminal.say(("Left alone: action %s, which does not say of which machine it is."):format(errors.show(action.id)))
    end
    local entries = {}
    for i, machine in ipairs(machines) do
      entries[i] = { device = name_of(machine), machine = machine, incidents = incidents }
    end
    if #entries == 0 then
      terminal.say(("Nothing to release: %s alone holds no device%s."):format(table.concat(incidents, ", "),
        since and " that was restricted since then" or ""))
    end
    return entries
  end
end

local function check_selection(arguments)
  local all_of = arguments.all_of
  if all_of[1] and (arguments.devices[1] or arguments.list) then
    errors.invalid("contradictory_options",
      "--all-of selects the devices, so none may be named", "Give either devices or --all-of.")
  elseif arguments.since and not all_of[1] then
    errors.invalid("option_without_effect", "--since belongs to --all-of", "Name the incident: --all-of INC-4711.")
  end
  for _, incident in ipairs(all_of) do
    if not incident:find "^[A-Za-z0-9._#/-]+$" or #incident > 64 then
      errors.invalid("incident_malformed", ("--all-of: %s is not an incident: 1 to 64 of A-Z a-z 0-9 . _ # / -")
        :format(errors.quote(incident)), "An empty one is what a shell makes of a variable that is not set.")
    end
  end
  -- The release is recorded under the incident whose restrictions it ends.
  if all_of[1] and not all_of[2] and not arguments.incident then arguments.incident = all_of[1] end
end

--- What the arguments ask.
---@param arguments table as argparse leaves them
---@return mde.cli.ChangeRequest
function M.request(arguments)
  check_selection(arguments)
  local all_of = arguments.all_of
  return change.request(arguments, "release", {}, all_of[1] and held_by(all_of, arguments.since) or nil)
end

M.run = change.run

return M
