--- lookups: what the calls of an `each` look up is asked for together.
--
-- A call that is made by itself asks for its device by itself. In an `each` the next calls come in a moment: those that
-- look up a device while another look-up is under way wait for it and are asked for in one filter. After two filters
-- within a minute there are many, so all machines are read, and the devices are found among them. What cannot be told
-- in this way, a device that a list lacks for instance, the call asks by itself, so it gets what it would get alone.

local core = require "mde.core"
local errors = require "mde.base.error"
local resolves = require "mde.device.resolve"
local single_flights = require "mde.sync.single_flight"

local MAX_AGE_SECONDS, READ_SECONDS = 60, 300
-- The span in which filters are counted, and for which nothing is read together after that has failed.
local SPAN_SECONDS = 60

local M = {}

---@class mde.Lookups
---@field private inventory mde.Inventory
---@field private single_flight mde.SingleFlight
---@field private waiting mde.Question[] what is asked for next
---@field private filters integer how many were read
---@field private since number since when they are counted, by the driver's clock
---@field private failed_at number when nothing could be read together
---@field private changed table<string, number> machines that this client has changed, and when
local Lookups = {}
Lookups.__index = Lookups

---@param inventory mde.Inventory
---@return mde.Lookups
function M.new(inventory)
  return setmetatable({ inventory = inventory, waiting = {}, filters = 0, since = -math.huge, failed_at = -math.huge,
    changed = {}, single_flight = single_flights.new(inventory.driver, inventory.exchange.sleep) }, Lookups)
end

local function now_of(self)
  return self.inventory.exchange.now()
end

--- This client has changed a machine: what was read of it before is old.
---@param id string
function Lookups:note_change(id)
  local now = now_of(self)
  for other, time in pairs(self.changed) do
    if now - time > READ_SECONDS then self.changed[other] = nil end
  end
  self.changed[core.text.lower(id)] = now
end

--- Whether this client has changed a machine since it was read.
---@param id string
---@param read_at number by the driver's clock
---@return boolean
function Lookups:has_changed(id, read_at)
  local changed = self.changed[core.text.lower(id)]
  return changed ~= nil and read_at <= changed
end

local function is_old(self, machine)
  return self:has_changed(machine.id, self.inventory:record_of(machine).read_at)
end

-- Whether so many filters were read lately that all machines are to be read instead of these.
local function are_many(self, count)
  local now = now_of(self)
  if now - self.since >= SPAN_SECONDS then self.filters, self.since = 0, now end
  self.filters = self.filters + count
  return self.filters > resolves.MAX_FILTERS
end

-- That there is no such device, or several, or one that cannot be acted on, is an answer; anything else is trouble.
local function is_answer(err)
  return errors.is(err) and (err.kind == "not_found" or err.kind == "ambiguous" or err.code == "record_unidentified")
end

local function ask_among_all(self, questions, context)
  for _, question in ipairs(questions) do
    question.machine, question.err = resolves.among_all(self.inventory, question, {}, context)
    if question.err and not is_answer(question.err) then return end
  end
end

-- Answers what waits by now. What is asked for meanwhile waits for the next time.
local function ask(self, context)
  local questions, inventory = self.waiting, self.inventory
  self.waiting = {}
  context = context:within(READ_SECONDS)
  local filters = resolves.filters(questions)
  if inventory.all_machines:is_fresh() or are_many(self, #filters) then
    ask_among_all(self, questions, context)
  else
    for _, filter in ipairs(filters) do resolves.ask_together(inventory, filter, context) end
  end
  for _, question in ipairs(questions) do
    if question.err and not is_answer(question.err) then self.failed_at, question.err = now_of(self), nil end
    question.is_done = true
  end
  return true
end

-- The one machine among all that were read lately; nil if these do not tell.
local function known(self, question, max_age)
  local inventory = self.inventory
  local rows, read_at = inventory.all_machines:known(question.kind, question.canonical, max_age)
  local records = resolves.matching(inventory, rows, question, read_at)
  return records[1] and resolves.choose(question, records)
end

--- Finds what a call of an `each` looks up.
---@param question mde.Question
---@param max_age? number seconds; how old what was read may be, default a minute
---@param context mde.Context
---@return mde.Machine? machine
---@return mde.Error? err why no machine is meant. Neither of the two: to be asked for alone
function Lookups:find(question, max_age, context)
  local machine = known(self, question, max_age or MAX_AGE_SECONDS)
  if machine and not is_old(self, machine) then return machine end
  if now_of(self) - self.failed_at < SPAN_SECONDS then return nil end
  self.waiting[#self.waiting + 1] = question
  -- So that enough time is left to ask alone.
  local patience = context:within(context:left() / 2, context:patience() / 2)
  local shared
  repeat
    shared = self.single_flight:share("lookups", patience, ask, self)
  until question.is_done or not shared
  if question.machine and is_old(self, question.machine) then return nil end
  return question.machine, question.err
end

return M
