--- change: what `mde restrict` and `mde release` have in common: which devices, why, a look and a
-- question, the deed, and what became of it.

local batch = require "mde.cli.batch.batch"
local connection = require "mde.cli.connection"
local consult = require "mde.cli.batch.consult"
local core = require "mde.core"
local duration = require "mde.cli.ui.duration"
local errors = require "mde.base.error"
local exit = require "mde.cli.ui.exit"
local interrupt = require "mde.cli.ui.interrupt"
local list = require "mde.cli.batch.list"
local mde = require "mde"
local output = require "mde.cli.ui.output"
local pace = require "mde.cli.batch.pace"
local result = require "mde.cli.batch.result"
local rows = require "mde.cli.ui.rows"
local terminal = require "mde.cli.ui.terminal"

local WAIT = "10m"
local MOST_CAP_REFUSALS = 5

local change = {}

local verbs = {
  restrict = { question = "Restrict", doing = "restricting %s", comment = "Possible security risk.",
    means = "To be restricted to code signed by Microsoft:" },
  release = { question = "Release", doing = "releasing %s", comment = "No longer a security risk.",
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
    :format(verbs[verb].comment)):argname "<text>":overwrite(false)
  command:option("--incident", "The incident it belongs to; recorded too, and what release --all-of goes by.")
    :argname "<id>":overwrite(false)
  command:option("--wait", ("Wait until the devices have done it, that long at most; --wait alone is --wait=%s.")
    :format(WAIT)):argname "<time>":convert(duration.parse):overwrite(false)
  command:flag("--no-look", "Send without reading the device's history first. For when it cannot be read.")
  command:flag("--yes", "Do not ask. Required where nobody can be asked.")
end

--- The option `look` that the arguments ask for.
---@param arguments table as argparse leaves them
---@return false?
function change.looks(arguments)
  if arguments.no_look then return false end
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

-- Nothing is looked up or asked for the sake of what would be refused.
local function check_words(self)
  local ok, err = mde.check(self.verb, self.arguments.comment or verbs[self.verb].comment, self.options)
  if not ok then error(err, 0) end
end

-- ---- telling

local function say_error(entry)
  terminal.say("mde: " .. result.complaint(entry))
end

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
        output.write(result.sentence(entry, verb, brief) .. "\n")
        output.flush()
      end,
      finish = function()
        if cap_refusals <= MOST_CAP_REFUSALS then return end
        terminal.say(("and %d more: rule cap"):format(cap_refusals - MOST_CAP_REFUSALS))
      end,
    }
  end
  local writer = rows.new(format, format == "json" and {} or result.columns)
  local function add(entry)
    writer.add(format == "json" and result.record(entry) or entry)
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

-- Tells of each as it ends, so that what is known is told however the waiting ends.
local function wait_for(client, entries, arguments)
  local waiting, entry_of = {}, {}
  for _, entry in ipairs(entries) do
    if entry.action then
      waiting[#waiting + 1] = entry.action
      entry_of[entry.action] = entry
    end
  end
  if #waiting == 0 or batch.is_cut_short() then return end
  if terminal.is_interactive() then
    terminal.say(("Waiting for %d device%s. Ctrl-C ends the waiting, not the action%s."):format(#waiting,
      #waiting == 1 and "" or "s", #waiting == 1 and "" or "s"))
  end
  local in_text = rows.format(arguments) == "text"
  local progress = terminal.progress("Waiting", #waiting, not in_text)
  interrupt.during(client, 1, function()
    client:wait(waiting, { timeout = arguments.wait, on_progress = function(_, _, ended)
      local entry = entry_of[ended.item]
      entry.waited, entry.err = ended.value, ended.err
      progress.step(ended.err ~= nil)
      if in_text and entry.err then
        say_error(entry)
      elseif in_text then
        terminal.above_progress(function()
          output.write(("%s: %s\n"):format(result.name(entry), errors.show(entry.waited)))
          output.flush()
        end)
      end
    end })
  end)
  progress.finish()
end

local function outcome_of(entry)
  if entry.waited then return core.text.lower(entry.waited) end
  return entry.action.outcome == "already_active" and "already active" or "accepted"
end

-- ---- the whole

---@class mde.cli.Change
---@field verb "restrict"|"release"
---@field arguments table as argparse leaves them
---@field client_options? mde.ClientOptions
---@field options table of mde.restrict or mde.release
---@field find? fun(client: mde.Client): mde.cli.Result[] the entries, if they are not named by the arguments

-- Whether the cap of the guard counts these.
local function is_capped(self)
  if self.verb ~= "restrict" then return false end
  for _, rule in ipairs(self.options.allow or {}) do
    if rule == "cap" then return false end
  end
  return true
end

-- What is to be known of so many devices before they are begun with.
local function remark_of(self, client, count)
  return pace.remark(count, verbs[self.verb].doing, is_capped(self) and client:cap().limit or nil, function(sent)
    return client:peek(self.verb, sent).seconds
  end)
end

-- Does it to one. Once the cap is used up nothing more is asked for the sake of those that would be refused for it.
local function act(self, client, entry, comment)
  local full = is_capped(self) and not entry.machine and client:cap().refusal
  if full then return nil, errors.about(full, ("%s %s"):format(self.verb, errors.quote(entry.device))) end
  return client[self.verb](client, entry.machine or entry.identity or entry.device, comment, self.options)
end

-- The devices that are meant; nil and the status if that cannot be established any more.
local function entries_of(self, client)
  local finished, entries = interrupt.during(client, 1, function() return self.find(client) end)
  if finished then return entries end
  terminal.say "Interrupted; nothing was done."
  return nil, exit.interrupted
end

-- Looks, or only says what is to be known, and has a comment. The entries to go on with and the comment; nil and the
-- status to end with.
local function prepare(self, client, entries, can_ask)
  local arguments, own = self.arguments, verbs[self.verb]
  local function remark(count) return remark_of(self, client, count) end
  if not arguments.yes then
    return consult.ask(client, entries, arguments.comment, {
      means = own.means, verb = self.verb, question = own.question, comment = own.comment, incident = arguments.incident,
      releases = self.verb == "release" and not self.find, remark = remark,
    })
  end
  local text = remark(#entries)
  if text then terminal.say(text) end
  local comment = arguments.comment or can_ask and consult.comment(self.verb, own.comment)
  if comment then return entries, comment end
  if not interrupt.asked() then return nil, exit.refused end
  terminal.say "Interrupted; nothing was done."
  return nil, exit.interrupted
end

--- Restricts or releases what the arguments name.
---@param self mde.cli.Change
---@return integer status
function change.run(self)
  local arguments, verb = self.arguments, self.verb
  local can_ask = check_unattended(arguments)
  check_words(self)
  local entries = not self.find and list.entries(arguments) or nil
  if interrupt.asked() then return exit.interrupted end
  local client = connection.open(self.client_options)
  local comment
  if self.find then
    entries, comment = entries_of(self, client)
    if entries and not entries[1] then return exit.done end
  end
  if entries then entries, comment = prepare(self, client, entries, can_ask) end
  if not entries then return comment end

  local tell = teller(arguments, verb, #entries)
  local complete = batch.run(client, entries, function(entry)
    local err
    entry.action, err = act(self, client, entry, comment)
    return entry.action, err
  end, { label = verb == "restrict" and "Restricting" or "Releasing", patience = 2, show = tell.show,
    remark = pace.left(client, verb) })
  if arguments.wait then wait_for(client, entries, arguments) end
  tell.finish(entries)
  batch.say_end(entries, complete, { noun = "device", outcome = outcome_of, ask = "mde state" })
  return result.status(entries, interrupt.asked() or not complete and batch.is_cut_short())
end

return change
