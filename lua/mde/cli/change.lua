--- change: what `mde restrict` and `mde release` have in common: which devices, why, a look and a
-- question, the deed, and what became of it.

local actions = require "mde.action"
local batch = require "mde.cli.batch"
local columns = require "mde.cli.columns"
local connection = require "mde.cli.connection"
local core = require "mde.core"
local duration = require "mde.cli.duration"
local errors = require "mde.error"
local exit = require "mde.cli.exit"
local interrupt = require "mde.cli.interrupt"
local list = require "mde.cli.list"
local output = require "mde.cli.output"
local result = require "mde.cli.result"
local rows = require "mde.cli.rows"
local tables = require "mde.cli.table"
local terminal = require "mde.cli.terminal"

local WAIT = "10m"
local MOST_SHOWN = 40
local MOST_CAP_REFUSALS = 5
local CAP = 25
-- So that an id of 40 digits fits beside it on a terminal of 80 columns.
local SHARED_NAME_COLUMNS = 26

local change = {}

local verbs = {
  restrict = { question = "Restrict", comment = "Possible security risk.",
    means = "To be restricted to code signed by Microsoft:" },
  release = { question = "Release", comment = "No longer a security risk.",
    means = "To be released, to run any code again:" },
}

change.explained = [[
What --json writes of each device: device (as named), outcome (accepted, already_active, error,
unknown if it was stopped in flight, not_started), machine_id, computerDnsName, action (as the
service tells it), waited (Succeeded) and error (kind, message, hint, text and what else is known).]]

--- Declares what both have in common.
---@param command table of argparse
---@param verb "restrict"|"release"
function change.configure(command, verb)
  command:option("--comment", ("Why; recorded in the service. On a terminal it is asked for, with %q as the default.")
    :format(verbs[verb].comment)):argname "<text>"
  command:option("--incident", "The incident it belongs to; recorded too, and what release --all-of goes by.")
    :argname "<id>"
  command:option("--wait", ("Wait until the devices have done it, that long at most; --wait alone is --wait=%s.")
    :format(WAIT)):argname "<time>":convert(duration.parse)
  command:flag("--yes", "Do not ask. Required where nobody can be asked.")
end

--- Whether somebody is there to be asked. Raises if nobody is and something would have to be asked.
local function check_unattended(arguments)
  if terminal.is_interactive() and not list.is_on_standard_input(arguments) then return true end
  if not arguments.yes then
    errors.invalid("there is no terminal to ask on", "Give --yes if you are sure.")
  elseif not arguments.comment then
    errors.invalid("a comment is required", "Say in a few words why: --comment TEXT.")
  end
  return false
end

-- Nothing is looked up or asked for the sake of a comment that would be refused.
local function check_words(comment, incident)
  actions.check_comment(comment, incident, "checked-here")
end

local function ask_comment(verb)
  local default = verbs[verb].comment
  while true do
    local answer = terminal.ask(("Comment [%s]: "):format(default))
    if not answer then return nil end
    if answer == "" then answer = default end
    local ok, problem = pcall(check_words, answer)
    if ok then return answer end
    terminal.say(tostring(problem))
  end
end

local function say_remarks(remarks)
  for _, remark in ipairs(remarks) do terminal.say("Note: " .. remark .. ".") end
end

local function say_error(entry)
  terminal.say("mde: " .. result.complaint(entry))
end

local function say_errors(entries)
  local count = 0
  for _, entry in ipairs(entries) do
    if entry.err then
      count = count + 1
      if count <= MOST_SHOWN then say_error(entry) end
    end
  end
  if count > MOST_SHOWN then terminal.say(("and %d more"):format(count - MOST_SHOWN)) end
end

local function say_cap(self, count)
  if self.verb ~= "restrict" or count <= (self.arguments.cap or CAP) then return end
  for _, rule in ipairs(self.arguments.allow or {}) do
    if rule == "cap" then return end
  end
  terminal.say(("Note: at most %d restricts an hour are sent; --cap raises that."):format(self.arguments.cap or CAP))
end

local function note_names(entries)
  local seen = {}
  for _, entry in ipairs(entries) do result.note_name(entry, seen) end
end

--- Reads the machines' records, so that they can be shown. A machine whose id is known is meant by it, even if its
--- record cannot be read, unless there is none.
local function look_up(client, entries)
  return batch.run(client, entries, function(entry)
    local known = entry.machine
    if not known and core.odata.kind(entry.device) == "machine_id" then known = { id = entry.device:lower() } end
    local machine, err = client:machine(known or entry.device)
    if not machine and known and err.kind ~= "not_found" and err.kind ~= "auth" then machine = known end
    entry.machine = machine
    return machine, err
  end, { label = "Looking up", patience = 1 })
end

-- Two names of one machine are one entry.
local function without_twins(entries)
  local first, rest = {}, {}
  for _, entry in ipairs(entries) do
    local id = entry.machine and entry.machine.id:lower()
    if id and first[id] then
      terminal.say(("Note: %s and %s are the same machine; it counts once."):format(errors.quote(first[id].device),
        errors.quote(entry.device)))
    else
      rest[#rest + 1] = entry
      if id then first[id] = entry end
    end
  end
  return rest
end

-- What stands for a machine in the first column.
local function name_cell(entry)
  local name = result.dns_name(entry)
  if not name then return entry.machine.id end
  if not entry.shares_name then return name end
  name = errors.escape(name)
  name = terminal.fit(name, math.min(terminal.width(name), SHARED_NAME_COLUMNS))
  return ("%s %s"):format(name, entry.machine.id)
end

local function show_machines(entries, verb)
  local count, shown, asked = 0, 0, columns.asked
  for _, entry in ipairs(entries) do
    if not entry.err then count = count + 1 end
    if entry.shares_name then asked = columns.asked_by_id end
  end
  if count == 0 then return 0 end
  terminal.say(verbs[verb].means)
  local shown_table = tables.new(asked, terminal.columns() - 2, function(line)
    terminal.show("  " .. line)
  end)
  for _, entry in ipairs(entries) do
    if not entry.err and shown < MOST_SHOWN then
      shown = shown + 1
      local row = { name_cell(entry) }
      for i = 2, #asked do row[i] = asked[i].value(entry.machine) or "" end
      shown_table.add(row)
    end
  end
  shown_table.finish()
  if count > shown then terminal.say(("  and %d more"):format(count - shown)) end
  return count
end

--- Shows what is meant and asks. The entries to go on with, and the comment; or nil and the status to end with.
local function consult(self, client, entries, comment)
  local verb = self.verb
  local complete = look_up(client, entries)
  if interrupt.asked() then
    terminal.say "Interrupted; nothing was done."
    return nil, exit.interrupted
  end
  say_errors(entries)
  if not complete then return nil, result.status(entries, false) end
  entries = without_twins(entries)
  note_names(entries)
  local count = show_machines(entries, verb)
  if count == 0 then return nil, result.status(entries, false) end
  say_cap(self, count)
  comment = comment or ask_comment(verb)
  local question = ("%s %s?"):format(verbs[verb].question, count == 1 and "it" or ("these %d"):format(count))
  if not comment or not terminal.confirm(question) then
    if interrupt.asked() then
      terminal.say "Interrupted; nothing was done."
      return nil, exit.interrupted
    end
    terminal.say "Nothing was done."
    return nil, exit.refused
  end
  for _, entry in ipairs(entries) do
    entry.done = entry.err ~= nil
    entry.started = entry.done
    entry.told = entry.done
  end
  return entries, comment
end

-- ---- telling

--- Writes results in the format that was asked for.
local function teller(arguments, verb, count)
  local format = rows.format(arguments)
  local brief = count > 1 and terminal.shows_results()
  local seen, cap_refusals = {}, 0
  if format == "text" then
    return {
      show = function(entry)
        if entry.told then return end
        entry.told = true
        if entry.err and errors.is(entry.err) and entry.err.rule == "cap" then
          cap_refusals = cap_refusals + 1
          if cap_refusals > MOST_CAP_REFUSALS then return end
        end
        if entry.err then return say_error(entry) end
        result.note_name(entry, seen)
        terminal.hide_progress()
        output.write(result.sentence(entry, verb, brief) .. "\n")
        output.flush()
        terminal.show_progress()
      end,
      finish = function()
        if cap_refusals <= MOST_CAP_REFUSALS then return end
        terminal.say(("and %d more: rule cap"):format(cap_refusals - MOST_CAP_REFUSALS))
      end,
    }
  end
  local writer = rows.new(format, format == "json" and {} or result.columns)
  local function add(entry)
    terminal.hide_progress()
    writer.add(format == "json" and result.record(entry) or entry)
    terminal.show_progress()
  end
  return {
    -- A row can be written once, so it waits for the end of the action where that is waited for.
    show = not arguments.wait and add or nil,
    finish = function(entries)
      for _, entry in ipairs(entries) do
        if arguments.wait or not entry.done then add(entry) end
      end
      writer.finish()
      output.flush()
    end,
  }
end

local function wait_for(client, entries, arguments)
  local waiting, of = {}, {}
  for _, entry in ipairs(entries) do
    if entry.action then
      waiting[#waiting + 1] = entry.action
      of[#waiting] = entry
    end
  end
  if #waiting == 0 or batch.is_cut_short() then return end
  if terminal.is_interactive() then
    terminal.say(("Waiting for %d device%s. Ctrl-C ends the waiting, not the action%s."):format(#waiting,
      #waiting == 1 and "" or "s", #waiting == 1 and "" or "s"))
  end
  local _, answers = interrupt.during(client.driver, 1, function()
    return client:wait(waiting, { timeout = arguments.wait })
  end)
  for i, entry in ipairs(of) do
    local answer = answers and answers[i]
    if answer and answer.err then
      entry.err = answer.err
    elseif answer then
      entry.waited = answer.value
    end
    if rows.format(arguments) == "text" and answer then
      if entry.err then
        say_error(entry)
      else
        output.write(("%s: %s\n"):format(result.name(entry), errors.show(entry.waited)))
      end
    end
  end
  output.flush()
end

local function outcome_of(entry)
  if entry.waited then return entry.waited:lower() end
  return entry.action.outcome == "already_active" and "already active" or "accepted"
end

local function say_end(entries, complete)
  if #entries > 1 or not complete or interrupt.asked() then
    terminal.say((interrupt.asked() and "Interrupted. " or "") .. batch.summary(entries, outcome_of) .. ".")
  end
  for _, entry in ipairs(entries) do
    if entry.started and not entry.done then
      terminal.say(("%s: stopped in flight; mde state tells what became of it"):format(errors.quote(entry.device)))
    end
  end
end

-- ---- the whole

---@class mde.cli.Change
---@field verb "restrict"|"release"
---@field arguments table as argparse leaves them
---@field client_options? mde.ClientOptions
---@field options table of mde.restrict or mde.release
---@field find? fun(client: mde.Client): mde.cli.Result[] the entries, if they are not named by the arguments

--- Restricts or releases what the arguments name.
---@param self mde.cli.Change
---@return integer status
function change.run(self)
  local arguments, verb = self.arguments, self.verb
  local can_ask = check_unattended(arguments)
  local comment, entries = arguments.comment, nil
  check_words(comment or verbs[verb].comment, arguments.incident)
  if not self.find then
    local named = list.gather(arguments)
    say_remarks(list.remarks(named))
    entries = named.entries
  end
  if interrupt.asked() then return exit.interrupted end
  local client = connection.open(self.client_options)
  if self.find then
    local finished
    finished, entries = interrupt.during(client.driver, 1, function() return self.find(client) end)
    if not finished then return exit.interrupted end
    if #entries == 0 then return exit.done end
  end
  if not arguments.yes then
    local status
    entries, status = consult(self, client, entries, comment)
    if not entries then return status end
    comment = status
  else
    say_cap(self, #entries)
    if not comment and can_ask then
      comment = ask_comment(verb)
      if not comment then return interrupt.asked() and exit.interrupted or exit.refused end
    end
  end

  local tell = teller(arguments, verb, #entries)
  local complete = batch.run(client, entries, function(entry)
    local err
    entry.action, err = client[verb](client, entry.machine or entry.device, comment, self.options)
    return entry.action, err
  end, { label = verb == "restrict" and "Restricting" or "Releasing", patience = 2, show = tell.show })
  if arguments.wait then wait_for(client, entries, arguments) end
  tell.finish(entries)
  say_end(entries, complete)
  return result.status(entries, interrupt.asked() or not complete and batch.is_cut_short())
end

return change
