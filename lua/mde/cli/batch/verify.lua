--- verify: looks once more, after the waiting, whether the devices are as they were meant to be.
--
-- An action that has succeeded may have been undone since, by a colleague or another program.

local core = require "mde.core"
local errors = require "mde.base.error"
local interrupt = require "mde.cli.ui.interrupt"
local terminal = require "mde.cli.ui.terminal"
local words = require "mde.cli.batch.words"

local M = {}

-- Whether a device is as it was meant to be.
local function is_wanted(verb, state)
  local row = core.response_actions[verb]
  if row.holds then return state == row.state or state == row.changing end
  return state == "released" or state == "none"
end

-- The entries whose action has succeeded, and their machines.
local function succeeded(entries)
  local chosen, machines = {}, {}
  for _, entry in ipairs(entries) do
    if entry.waited and not entry.err then
      chosen[#chosen + 1] = entry
      machines[#chosen] = entry.machine or entry.action.machineId
    end
  end
  return chosen, machines
end

local function undone(verb, state, action)
  local who = action and errors.show(action.requestor or "somebody") or "somebody"
  return errors.new { kind = "superseded", code = "undone_since", action = action,
    message = ("it succeeded, and was %s since by %s; it is %s now"):format(words.of(verb).taken_back, who, state),
    hint = "Somebody decided otherwise. If you still mean it, do it again." }
end

-- In words, who has undone how many: "6 released since by a.colleague@corp.example".
local function say(verb, count, by)
  local parts = {}
  if count > 0 then parts[1] = ("%d %s"):format(count, words.of(verb).past) end
  table.sort(by, core.text.before)
  for _, who in ipairs(by) do
    parts[#parts + 1] = ("%d %s since by %s"):format(by[who], words.of(verb).taken_back, who)
  end
  terminal.say(("Now: %s."):format(table.concat(parts, ", ")))
end

--- Looks at the state of all whose action has succeeded. What was undone is said, and gets an error of kind
--- `superseded`. What holds no device and takes nothing back is as it is.
---@param context mde.cli.Context its request is an mde.cli.ChangeRequest
---@param entries mde.cli.Result[]
function M.run(context, entries)
  local verb = context.request.verb
  local holder = words.of(verb).holder
  if not holder then return end
  local chosen, machines = succeeded(entries)
  if not chosen[1] or interrupt.asked() then return end
  local finished, states = interrupt.during(context.client, 1, function()
    return context.client:states(machines, { of = holder })
  end)
  if not finished then return end
  local count, unread, by = 0, 0, {}
  for i, entry in ipairs(chosen) do
    local state, action = states[i].value, states[i].action
    if not state then
      unread = unread + 1
    elseif is_wanted(verb, state) then
      count = count + 1
    else
      entry.err, entry.ending = undone(verb, state, action), ("%s since"):format(words.of(verb).taken_back)
      local who = action and errors.show(action.requestor or "somebody") or "somebody"
      if not by[who] then by[#by + 1] = who end
      by[who] = (by[who] or 0) + 1
    end
  end
  if by[1] then say(verb, count, by) end
  if unread > 0 then
    terminal.note(("whether %d of them are still so could not be read; mde state shows it"):format(unread))
  end
end

return M
