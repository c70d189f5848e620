--- mde release: takes restrictions back, of named devices or of all that an incident holds.
--
-- What an incident has isolated, too, is let onto the network before it may run any code again. So --all-of has two
-- parts, each with its plan: mde unisolate --all-of, then the releases.

local all_of = require "mde.cli.batch.all_of"
local batch = require "mde.cli.batch.batch"
local change = require "mde.cli.batch.change"
local core = require "mde.core"
local errors = require "mde.base.error"
local list = require "mde.cli.batch.list"
local phrase = require "mde.cli.ui.phrase"
local responses = require "mde.cli.batch.response"
local rows = require "mde.cli.ui.rows"
local terminal = require "mde.cli.ui.terminal"

local M = {
  name = "release",
  is_audited = true,
  summary = "Let devices run any code again.",
  explained = [[
If the incident of --all-of has isolated devices, too, there are two parts, each with its plan and
its question: first these are let onto the network (mde unisolate --all-of), then the restrictions
are taken back. With --wait the first has ended before the second begins. A device that cannot be
let onto the network stays restricted. With --all-of, JSON and CSV have the verb of each: unisolate
or release.

]] .. change.explained,
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
  all_of.configure(command, "release")
  command:flag("--expired", "Every device whose restriction was meant to end by now, and that nothing else holds. "
    .. "Instead of devices; it may run on several hosts.")
  change.configure(command, "release")
  responses.configure_limits(command, core.response_actions.release)
  rows.configure(command)
end

-- The devices whose restrictions were meant to end by now. Those that something else holds too are named, but not to a
-- job that runs every few minutes and is quiet.
local function held_by_expired(client)
  local machines, err = client:expired()
  if not machines then error(err, 0) end
  for _, machine in ipairs(machines.shared) do terminal.remark(all_of.name_others(machine, "release") .. ".") end
  all_of.say_unattributed(machines)
  local entries = {}
  for i, machine in ipairs(machines) do entries[i] = { device = all_of.name_of(machine), machine = machine } end
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

-- Says what is to be done before, and notes each.
local function note(isolated, incidents)
  return function(entries)
    isolated.entries = entries
    for _, entry in ipairs(entries) do entry.verb = "unisolate" end
    if not entries[1] then return end
    terminal.say(("%s holds %s isolated: the isolation is taken back first, then the restrictions."):format(
      errors.show(table.concat(incidents, ", ")), phrase.counted(#entries, "device")))
  end
end

-- Those that are still isolated, though they should not be, stay restricted.
local function without(isolated, find)
  return function(client)
    local is_isolated, left = {}, {}
    for _, entry in ipairs(isolated.entries) do
      if entry.err or not entry.done then is_isolated[core.text.lower(entry.machine.id)] = true end
    end
    local entries = find(client)
    for _, entry in ipairs(entries) do
      if is_isolated[core.text.lower(entry.machine.id)] then
        terminal.say(("Left restricted: %s, which is still isolated. To release it all the same:"):format(
          errors.show(all_of.name_of(entry.machine))), "mde release " .. errors.show(entry.machine.id))
      else
        entry.verb = "release"
        left[#left + 1] = entry
      end
    end
    left.status = entries.status
    return left
  end
end

---@class mde.cli.ReleaseRequest : mde.cli.ChangeRequest
---@field first? mde.cli.ChangeRequest what is done before

--- What the arguments ask.
---@param arguments table as argparse leaves them
---@return mde.cli.ReleaseRequest
function M.request(arguments)
  check_expired(arguments)
  all_of.check(arguments)
  local incidents = arguments.all_of
  if not incidents[1] then
    return change.request(arguments, "release", { expired = arguments.expired or nil },
      arguments.expired and held_by_expired or nil)
  end
  local isolated = {}
  local find = all_of.find(arguments, "release", function() return not isolated.entries[1] end)
  local request = change.request(arguments, "release", {}, without(isolated, find))
  request.first = change.request(arguments, "unisolate", {},
    all_of.find(arguments, "unisolate", note(isolated, incidents)))
  request.is_part, request.first.is_part = true, true
  return request
end

--- Runs the subcommand.
---@param context mde.cli.Context
---@return integer status
function M.run(context)
  local request = context.request
  if not request.first then return change.run(context) end
  context.request = request.first
  local before, goes_on = change.run(context)
  context.request = request
  if not goes_on or batch.is_cut_short() then return before end
  return math.max(before, (change.run(context)))
end

return M
