--- all_of: the devices that incidents hold, for what takes that back: --all-of, --since and --ended.

local absent_incidents = require "mde.cli.ui.absent_incidents"
local core = require "mde.core"
local duration = require "mde.cli.ui.duration"
local errors = require "mde.base.error"
local exit = require "mde.cli.ui.exit"
local incident_names = require "mde.cli.ui.incidents"
local mde = require "mde"
local shell_word = require "mde.base.shell_word"
local terminal = require "mde.cli.ui.terminal"
local words_of = require "mde.cli.batch.words".of

local M = {}

-- "restricted", "isolated".
local function held_as(verb)
  return words_of(words_of(verb).holder).past
end

--- Declares the options.
---@param command table of argparse
---@param verb string what takes it back: "release"
function M.configure(command, verb)
  command:option("--all-of", ("Every device that this incident holds %s, and no other does. Instead of "
    .. "devices; may be repeated."):format(held_as(verb))):argname "<incident>":count "*"
  command:option("--since", ("With --all-of: what was %s that long ago or later."):format(held_as(verb)))
    :argname "<time>":convert(duration.parse):overwrite(false)
  command:option("--ended", "With --all-of: an incident that holds nothing any longer; may be repeated.")
    :argname "<incident>":count "*"
end

--- Raises where the options do not go together.
---@param arguments table as argparse leaves them; `incident` is filled in
function M.check(arguments)
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

-- ---- what is left to others

--- What a machine is called where it is listed.
---@param machine mde.Machine
---@return string
function M.name_of(machine)
  local name = machine.computerDnsName
  return name ~= "" and name or machine.id
end

--- Who else holds a machine that is left.
---@param machine { incidents?: string[] } and the machine's name
---@param verb string what would take it back
---@return string
function M.name_others(machine, verb)
  return ("Left %s: %s, held too by %s"):format(held_as(verb), errors.show(M.name_of(machine)),
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
local function release_later(machine, verb, incidents, ended)
  local others = {}
  for _, action in ipairs(machine.others or {}) do
    if not action.incident then return "", nil end
    others[#others + 1] = action.incident
  end
  local command = ("mde %s "):format(verb)
  local own = {}
  for _, incident in ipairs(incidents) do own[core.text.lower(incident)] = true end
  for _, other in ipairs(others) do
    if own[core.text.lower(other)] then
      local words = options("--all-of", incidents, {})
      for _, word in ipairs(options("--all-of", others, own)) do words[#words + 1] = word end
      return " To release it for all:", command .. table.concat(words, " ")
    end
  end
  local named = {}
  local words = options("--all-of", others, named)
  for _, ends in ipairs { incidents, ended } do
    for _, word in ipairs(options("--ended", ends, named)) do words[#words + 1] = word end
  end
  return " Later, to release it:", command .. table.concat(words, " ")
end

--- Says which actions do not say of which machine they are.
---@param machines { unattributed: mde.Action[] }
function M.say_unattributed(machines)
  for _, action in ipairs(machines.unattributed) do
    terminal.say(("Left alone: action %s, which does not say of which machine it is."):format(errors.show(action.id)))
  end
end

-- ---- what is held

-- Those that the incidents hold alone, and in `shared` what others hold too.
local function read(client, verb, asked)
  local holder = words_of(verb).holder
  if holder == "restrict" then
    local machines, err = client:restricted(asked)
    if not machines then error(err, 0) end
    return machines
  end
  asked.of = holder
  local held, err = client:held(asked)
  if not held then error(err, 0) end
  local list = { shared = {}, unattributed = held.unattributed }
  for _, machine in ipairs(held) do
    local by = machine.held[1]
    machine.incidents, machine.others = by.incidents, by.others
    table.insert(by.incidents and list.shared or list, machine)
  end
  return list
end

-- Says which of the incidents no action names.
local function say_absent(client, verb, incidents)
  if words_of(verb).holder == "restrict" then
    local report = client:report { incident = incidents }
    if not report or not report.absent[1] then return nil end
    absent_incidents.say(report, client:now())
    return exit.refused
  end
  local rows, named, status = core.response_actions, {}, nil
  for action in client:actions { type = { rows[verb].type, rows[rows[verb].opposite].type } } do
    if action.incident then named[core.text.lower(action.incident)] = true end
  end
  for _, incident in ipairs(incidents) do
    if not named[core.text.lower(incident)] then
      terminal.say(("%s: no %s or %s names it."):format(errors.show(incident), words_of(rows[verb].opposite).noun,
        words_of(verb).noun))
      status = exit.refused
    end
  end
  return status
end

local function say_nothing(client, verb, asked, has_shared)
  local incidents = asked.incident
  local status = not has_shared and say_absent(client, verb, incidents) or nil
  terminal.say(("Nothing to release%s: %s alone holds no device%s."):format(words_of(verb).past:gsub("^released", ""),
    table.concat(incidents, ", "), asked.since and (" that was %s since then"):format(held_as(verb)) or ""))
  return status
end

--- Finds the devices that these incidents hold. Those that others hold too are named.
---@param arguments table as argparse leaves them, checked
---@param verb string what takes it back: "release"
---@param tell? fun(entries: mde.cli.Result[]): boolean? is told what there is; true: that there is nothing is said, too
---@return fun(client: mde.Client): mde.cli.Result[] entries with the exit `status` if there are none
function M.find(arguments, verb, tell)
  local incidents, ended = arguments.all_of, arguments.ended
  return function(client)
    local asked = { incident = incidents, since = arguments.since and mde.ago(arguments.since),
      ended = ended[1] and ended or nil }
    local machines = read(client, verb, asked)
    for _, machine in ipairs(machines.shared) do
      local later, command = release_later(machine, verb, incidents, ended)
      terminal.say(M.name_others(machine, verb) .. "." .. later, command)
    end
    M.say_unattributed(machines)
    local entries = {}
    for i, machine in ipairs(machines) do
      entries[i] = { device = M.name_of(machine), machine = machine, incidents = incidents }
    end
    local is_said = not tell or tell(entries)
    if #entries == 0 and is_said then
      entries.status = say_nothing(client, verb, asked, machines.shared[1] ~= nil)
    end
    return entries
  end
end

return M
