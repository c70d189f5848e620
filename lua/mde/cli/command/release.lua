--- mde release: takes restrictions back, of named devices or of all that an incident holds.

local absent_incidents = require "mde.cli.ui.absent_incidents"
local change = require "mde.cli.batch.change"
local core = require "mde.core"
local duration = require "mde.cli.ui.duration"
local errors = require "mde.base.error"
local exit = require "mde.cli.ui.exit"
local incident_names = require "mde.cli.ui.incidents"
local list = require "mde.cli.batch.list"
local mde = require "mde"
local responses = require "mde.cli.batch.response"
local rows = require "mde.cli.ui.rows"
local shell_word = require "mde.base.shell_word"
local terminal = require "mde.cli.ui.terminal"

local M = {
  name = "release",
  is_audited = true,
  summary = "Let devices run any code again.",
  explained = change.explained,
  examples = {
    { 'mde release laptop-17 --comment "cleared by forensics" --incident INC-4711', "shows the machine and asks" },
    { 'mde release --all-of INC-4711 --since 14h --comment "false alarm" --yes',
      "what this incident restricted, and nobody else" },
    { 'mde release --all-of INC-4712 --ended INC-4711 --comment "all clear" --yes',
      "what this incident restricted, alone or with one that is over" },
    { "mde release --expired --yes", "what was restricted for a time that is over (restrict --release-after)" },
    { "mde release --expired --dry-run --exit-code", "for monitoring: exit status 6 if something is overdue" },
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
  command:option("--ended", "With --all-of: an incident that holds nothing any longer; may be repeated.")
    :argname "<incident>":count "*"
  command:flag("--expired", "Every device whose restriction was meant to end by now, and that nothing else holds. "
    .. "Instead of devices; it may run on several hosts.")
  change.configure(command, "release")
  responses.configure_limits(command, core.response_actions.release)
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

-- The incidents, each once, as options of the command.
local function options(name, incidents, named)
  local words = {}
  for _, incident in ipairs(incidents) do
    if not named[core.text.lower(incident)] then
      named[core.text.lower(incident)] = true
      words[#words + 1] = ("%s %s"):format(name, shell_word.of(errors.show(incident)))
    end
  end
  return words
end

-- How to release a machine later, when the incidents have ended that hold it, too: what to say, and the command.
-- Nothing where somebody holds it without one. What the own incidents restricted before --since is released without
-- that.
local function release_later(machine, incidents, ended)
  local others = {}
  for _, action in ipairs(machine.others or {}) do
    if not action.incident then return "", nil end
    others[#others + 1] = action.incident
  end
  local own = {}
  for _, incident in ipairs(incidents) do own[core.text.lower(incident)] = true end
  for _, other in ipairs(others) do
    if own[core.text.lower(other)] then
      local words = options("--all-of", incidents, {})
      for _, word in ipairs(options("--all-of", others, own)) do words[#words + 1] = word end
      return " To release it for all:", "mde release " .. table.concat(words, " ")
    end
  end
  local named = {}
  local words = options("--all-of", others, named)
  for _, ends in ipairs { incidents, ended } do
    for _, word in ipairs(options("--ended", ends, named)) do words[#words + 1] = word end
  end
  return " Later, to release it:", "mde release " .. table.concat(words, " ")
end

local function say_unattributed(machines)
  for _, action in ipairs(machines.unattributed) do
    terminal.say(("Left alone: action %s, which does not say of which machine it is."):format(errors.show(action.id)))
  end
end

-- The devices that these incidents hold. Those that others hold too are named.
local function held_by(incidents, since, ended)
  return function(client)
    local machines, err = client:restricted {
      incident = incidents[2] and incidents or incidents[1],
      since = since and mde.ago(since),
      ended = ended[1] and ended or nil,
    }
    if not machines then error(err, 0) end
    for _, machine in ipairs(machines.shared) do
      local later, command = release_later(machine, incidents, ended)
      terminal.say(name_others(machine) .. "." .. later, command)
    end
    say_unattributed(machines)
    local entries = {}
    for i, machine in ipairs(machines) do
      entries[i] = { device = name_of(machine), machine = machine, incidents = incidents }
    end
    if #entries == 0 then
      local report = not machines.shared[1] and client:report { incident = incidents }
      if report and report.absent[1] then
        absent_incidents.say(report, client:now())
        entries.status = exit.refused
      end
      terminal.say(("Nothing to release: %s alone holds no device%s."):format(table.concat(incidents, ", "),
        since and " that was restricted since then" or ""))
    end
    return entries
  end
end

-- The devices whose restrictions were meant to end by now. Those that something else holds too are named, but not to a
-- job that runs every few minutes and is quiet.
local function held_by_expired(client)
  local machines, err = client:expired()
  if not machines then error(err, 0) end
  for _, machine in ipairs(machines.shared) do terminal.remark(name_others(machine) .. ".") end
  say_unattributed(machines)
  local entries = {}
  for i, machine in ipairs(machines) do entries[i] = { device = name_of(machine), machine = machine } end
  if #entries == 0 then
    terminal.remark(machines.shared[1] and "Nothing to release: whatever was meant to end by now is held by others too."
      or "Nothing to release: no restriction was meant to end by now.")
  end
  return entries
end

local function check_expired(arguments)
  if not arguments.expired then return end
  if arguments.devices[1] or arguments.list or arguments.all_of[1] then
    errors.invalid("contradictory_options", "--expired selects the devices, so none may be named",
      "Give devices, --all-of or --expired.")
  end
  arguments.comment = arguments.comment or "The time of the restriction is over."
end

local function check_selection(arguments)
  check_expired(arguments)
  local all_of = arguments.all_of
  if all_of[1] and (arguments.devices[1] or arguments.list) then
    errors.invalid("contradictory_options",
      "--all-of selects the devices, so none may be named", "Give either devices or --all-of.")
  elseif arguments.since and not all_of[1] then
    errors.invalid("option_without_effect", "--since belongs to --all-of", "Name the incident: --all-of INC-4711.")
  elseif arguments.ended[1] and not all_of[1] then
    errors.invalid("option_without_effect", "--ended belongs to --all-of", "Name the incident: --all-of INC-4711.")
  end
  incident_names.check("--all-of", all_of)
  incident_names.check("--ended", arguments.ended)
  for _, incident in ipairs(arguments.ended) do
    for _, other in ipairs(all_of) do
      if core.text.lower(incident) == core.text.lower(other) then
        errors.invalid("contradictory_options", ("%s stands in --all-of and in --ended"):format(errors.show(incident)),
          "--ended is for the other incidents.")
      end
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
  local find = all_of[1] and held_by(all_of, arguments.since, arguments.ended)
    or arguments.expired and held_by_expired or nil
  return change.request(arguments, "release", { expired = arguments.expired or nil }, find)
end

M.run = change.run

return M
