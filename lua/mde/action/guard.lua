--- guard: may this machine be restricted at all, and is it one too many?
--
-- It stands before every restrict, in every kind of program. Its rules judge the machine's record; its
-- cap counts what was sent within the last hour. What cannot be judged or counted is refused. Nothing
-- stands before a release. guard.md says what the rules are for and how one is lifted.

local collection = require "mde.api.pager"
local core = require "mde.core"
local deadlines = require "mde.sync.deadline"
local devices = require "mde.device.device"
local errors = require "mde.base.error"
local options_of = require "mde.base.options"
local posix = require "mde.posix"
local tallies = require "mde.action.tally"

-- A record that is older is read again before it is judged.
local RECORD_SECONDS = 300
local READ_SECONDS = 120

local CAP = 25
local MOST_CAP = 100000
local HOUR = 3600
local COUNT_SECONDS = 60
-- Whoever waits for a count that has not ended by then begins one: the one who was at it is gone.
local COUNT_LEASE_SECONDS = COUNT_SECONDS + 5
-- How much earlier the count begins than it has to, since clocks are never quite right.
local COUNT_MARGIN = 60

local M = {}

---@class mde.Protect
---@field tags? string[] machines with one of these tags; default none
---@field names? string[] machines whose name, whole or up to the first dot, matches one of these globs (* and ?)
---@field device_values? string[] machines of one of these values: "Low", "Normal", "High"; default { "High" }
---@field servers? boolean Windows servers, and machines whose platform is not known; default true
---@field platforms? string[] machines of one of these platforms, "Windows10" say; default none

---@alias mde.Rule "tags"|"names"|"device_values"|"servers"|"platforms"|"cap"

---@class mde.Guard
---@field rules { name: mde.Rule, judge: fun(machine: mde.Machine): string? }[] those in force, in their order
---@field cap number
---@field tally? mde.Tally counts the restricts of the last hour; nil if there is no cap
---@field spare? mde.Tally counts them while the store fails, beginning with what the service tells
---@field lease_ends number when the one who counts is waited for no longer, by the driver's clock

-- ---- rules: each gives, for what the client protects, a function that says why a machine is protected

local function quoted(value)
  return type(value) == "string" and errors.quote(value) or "not a text"
end

-- Every machine has a name and a platform: where the record lacks them it does not tell enough.
local function is_missing(value)
  return value == nil or value == ""
end

local function set_of(list)
  local set = {}
  for _, text in ipairs(list) do set[core.text.lower(text)] = true end
  return set
end

local function protect_tags(list)
  local protected = set_of(list)
  return function(machine)
    local tags = machine.machineTags
    if tags == nil then return nil end
    if type(tags) ~= "table" then return "its machineTags are not a list" end
    for _, tag in pairs(tags) do
      if type(tag) ~= "string" then return "one of its machineTags is not a text" end
      if protected[core.text.lower(tag)] then return "it has the tag " .. errors.quote(tag) end
    end
  end
end

-- Whether a text matches a glob: where a star has taken too little, it takes one more.
local function matches(glob, text)
  local g, t, star, taken = 1, 1, nil, nil
  while t <= #text do
    local wanted = glob:sub(g, g)
    if wanted == "*" then
      star, taken = g, t
      g = g + 1
    elseif wanted == "?" or wanted == text:sub(t, t) then
      -- A question mark stands for a character, which may be several bytes.
      g, t = g + 1, t + (wanted == "?" and #text:match("^.[\128-\191]*", t) or 1)
    elseif star then
      taken = taken + 1
      g, t = star + 1, taken
    else
      return false
    end
  end
  return not glob:find("[^*]", g)
end

local function protect_names(list)
  local globs = {}
  for i, glob in ipairs(list) do globs[i] = core.name.normal(glob) end
  return function(machine)
    local name = machine.computerDnsName
    if is_missing(name) then return "its record has no computerDnsName" end
    if type(name) ~= "string" then return "its computerDnsName is not a text" end
    local whole = core.name.normal(name)
    local host = whole:match "^[^.]*"
    for i, glob in ipairs(globs) do
      if matches(glob, whole) or matches(glob, host) then
        return ("its name %s matches %s"):format(errors.quote(name), errors.quote(list[i]))
      end
    end
  end
end

local function protect_device_values(list)
  local protected = set_of(list)
  return function(machine)
    local value = machine.deviceValue
    if value ~= nil and (type(value) ~= "string" or protected[core.text.lower(value)]) then
      return "its deviceValue is " .. quoted(value)
    end
  end
end

local function protect_servers(wanted)
  return wanted and function(machine)
    local platform = machine.osPlatform
    if is_missing(platform) then return "its record has no osPlatform, so it counts as a server" end
    if type(platform) ~= "string" or core.text.lower(platform):find("server", 1, true) then
      return "its osPlatform is " .. quoted(platform)
    end
  end
end

local function protect_platforms(list)
  local protected = set_of(list)
  return function(machine)
    local platform = machine.osPlatform
    if is_missing(platform) then return "its record has no osPlatform" end
    if type(platform) ~= "string" or protected[core.text.lower(platform)] then
      return "its osPlatform is " .. quoted(platform)
    end
  end
end

-- ---- options

-- A list without gaps of texts that are not empty: a nil in it would protect less than it seems to.
local function check_list(list, what)
  local count = 0
  for _ in pairs(type(list) == "table" and list or {}) do count = count + 1 end
  if type(list) ~= "table" or count ~= #list then
    errors.invalid(("%s must be a list of strings, not %s"):format(what,
      type(list) == "table" and "a table with gaps or names" or errors.quote(list)))
  end
  for i = 1, count do
    if type(list[i]) ~= "string" or not list[i]:find "%S" then
      errors.invalid(("%s: item %d must be a string with something in it, not %s"):format(what, i,
        errors.quote(list[i])))
    end
  end
  return list
end

local device_values = { Low = true, Normal = true, High = true }

local function check_device_values(list, what)
  local known = set_of { "Low", "Normal", "High" }
  for _, value in ipairs(check_list(list, what)) do
    if not known[core.text.lower(value)] then
      local near = options_of.nearest(value, device_values)
      errors.invalid(("%s: there is no device value %s, only Low, Normal and High"):format(what, errors.quote(value)),
        near and ("Did you mean %q?"):format(near) or nil)
    end
  end
  return list
end

local function check_platforms(list, what)
  for _, platform in ipairs(check_list(list, what)) do
    if platform:find "[*?]" then
      errors.invalid(("%s: %s has a wildcard, but platforms are compared as they are"):format(what,
        errors.quote(platform)), "Write the whole names of the platforms.")
    end
  end
  return list
end

-- What no name of a machine can match protects nothing, and that would show too late.
local function check_names(list, what)
  for _, glob in ipairs(check_list(list, what)) do
    if glob:find "[%z\1-\31\127]" or glob:find "^%s" or glob:find "%s$" then
      errors.invalid(("%s: %s begins or ends with a space, or has a control character in it; no name does")
        :format(what, errors.quote(glob)), "Take it out.")
    elseif glob:find "[%[%]{}]" then
      errors.invalid(("%s: %s has a bracket in it, which no name has"):format(what, errors.quote(glob)),
        "There are * (any characters) and ? (one character); write one glob for each alternative.")
    end
  end
  return list
end

local function check_flag(value, what)
  if type(value) ~= "boolean" then
    errors.invalid(("%s must be true or false, not %s"):format(what, errors.quote(value)))
  end
  return value
end

-- What `protect` can name, in the order in which it is judged: what holds by default, what may be told, and what
-- makes the judge of it.
local kinds = {
  { name = "tags", default = {}, check = check_list, protect = protect_tags },
  { name = "names", default = {}, check = check_names, protect = protect_names },
  { name = "device_values", default = { "High" }, check = check_device_values, protect = protect_device_values },
  { name = "servers", default = true, check = check_flag, protect = protect_servers },
  { name = "platforms", default = {}, check = check_platforms, protect = protect_platforms },
}

local known_protect, known_rules = {}, { cap = true }
for _, kind in ipairs(kinds) do
  known_protect[kind.name], known_rules[kind.name] = "any", true
end

local function check_cap(cap)
  if cap == nil then return CAP end
  if cap == false or cap == math.huge then return math.huge end
  if type(cap) ~= "number" or cap % 1 ~= 0 or cap < 0 or cap > MOST_CAP then
    errors.invalid(("option \"cap\" must be a whole number of restricts an hour from 0 to %d, not %s"):format(MOST_CAP,
      errors.quote(cap)), "For none at all, give cap = false.")
  end
  return cap
end

-- A copy, so that nobody can change what is protected by changing the table that was given.
local function copy(list)
  if type(list) ~= "table" then return list end
  local items = {}
  for i, item in ipairs(list) do items[i] = item end
  return items
end

--- What a client protects. Raises for a wrong option.
---@param protect? mde.Protect
---@param cap? number|false restricts an hour, default 25; false or math.huge for no cap
---@return mde.Guard guard without a tally so far
function M.new(protect, cap)
  protect = options_of.check(protect, known_protect, "option \"protect\"")
  local rules = {}
  for _, kind in ipairs(kinds) do
    local value = protect[kind.name]
    if value == nil then value = kind.default end
    value = copy(kind.check(value, ("option \"protect\": %s"):format(kind.name)))
    if value ~= false and (value == true or value[1]) then
      rules[#rules + 1] = { name = kind.name, judge = kind.protect(value) }
    end
  end
  return { rules = rules, cap = check_cap(cap), lease_ends = -math.huge }
end

--- Begins to count, in the store if there is one.
---@param guard mde.Guard
---@param now fun(): number the driver's clock
---@param store? mde.Store
function M.begin(guard, now, store)
  if guard.cap == math.huge then return end
  guard.tally = store and tallies.shared(guard.cap, now, store) or tallies.new(guard.cap, now)
end

--- The rules that a call lifts. Raises for a rule that there is not.
---@param allow? mde.Rule[]
---@return table<mde.Rule, boolean>
function M.allowed(allow)
  local set = {}
  for _, rule in ipairs(check_list(allow == nil and {} or allow, "option \"allow\"")) do
    if not known_rules[rule] then
      local near = options_of.nearest(rule, known_rules)
      errors.invalid(("option \"allow\": there is no rule %s"):format(errors.quote(rule)),
        near and ("Did you mean %q?"):format(near)
          or "There are tags, names, device_values, servers, platforms and cap.")
    end
    set[rule] = true
  end
  return set
end

-- ---- the machine

local function in_force(client, intent)
  local rules = {}
  if intent.verb ~= "restrict" then return rules end
  for _, rule in ipairs(client.guard.rules) do
    if not intent.allow[rule.name] then rules[#rules + 1] = rule end
  end
  return rules
end

--- Whether a machine's record has to be known before the change.
---@param client mde.Client
---@param intent table
---@return boolean
function M.judges(client, intent)
  return #in_force(client, intent) > 0
end

local function how_to_lift(names)
  local texts, switches = {}, {}
  for i, name in ipairs(names) do texts[i], switches[i] = errors.quote(name), "--allow " .. name end
  return ("allow = { %s } (%s)"):format(table.concat(texts, ", "), table.concat(switches, " "))
end

local function names_of(rules)
  local names = {}
  for i, rule in ipairs(rules) do names[i] = rule.name end
  return names
end

-- What could not be read or counted is told as it is, with what it was needed for.
local function because(err, message, hint)
  local fields = {}
  for name, value in pairs(err) do fields[name] = value end
  fields.message = message .. ": " .. err.message
  fields.hint = (err.hint and err.hint .. " " or "") .. hint
  return fields
end

-- Why a record cannot be read where the restrict itself might still go out; nothing is gained by lifting a
-- rule where the sign-in fails, say.
local is_curable = { unavailable = true, permission = true, protocol = true, refused = true }

local function unreadable(rules, err)
  local names = names_of(rules)
  return errors.new(because(err,
    ("nothing was sent, since its record could not be read to see whether it is protected (%s)")
      :format(table.concat(names, ", ")),
    "To restrict it unseen, give " .. how_to_lift(names) .. "."))
end

local function protected(machine, rules, reasons)
  local parts = {}
  for i, rule in ipairs(rules) do parts[i] = ("rule %s: %s"):format(errors.quote(rule.name), reasons[i]) end
  return errors.new {
    kind = "protected", rule = rules[1].name, machine_id = machine.id,
    message = ("machine %s%s is protected (%s)"):format(errors.show(machine.id),
      is_missing(machine.computerDnsName) and "" or ", " .. quoted(machine.computerDnsName) .. ",",
      table.concat(parts, "; ")),
    hint = ("To restrict it all the same, give %s."):format(how_to_lift(names_of(rules))),
  }
end

-- What the service said of it within the last minutes.
local function fresh_record(client, machine)
  local record = client.records:of(machine)
  if record and client.exchange.now() - record.read_at <= RECORD_SECONDS then return record end
end

--- Whether this machine may be restricted. Its record is read again unless this client has read it just now.
---@param client mde.Client
---@param intent table what action.lua is about to do
---@param machine mde.Machine|{ id: string }
---@return true?
---@return mde.Error? err of kind `protected`, or why the record could not be read
function M.check(client, intent, machine)
  local rules = in_force(client, intent)
  if #rules == 0 then return true end
  local record = fresh_record(client, machine)
  if not record then
    local read, err = devices.resolve(client, machine.id, client:deadline(intent, READ_SECONDS))
    if not read and not is_curable[err.kind] then return nil, err end
    if not read then return nil, unreadable(rules, err) end
    record = client.records:of(read)
  end
  intent.record_at = record.read_at
  local broken, reasons = {}, {}
  for _, rule in ipairs(rules) do
    local reason = rule.judge(record)
    if reason then broken[#broken + 1], reasons[#reasons + 1] = rule, reason end
  end
  if #broken > 0 then return nil, protected(record, broken, reasons) end
  return true
end

-- ---- the cap

-- The operation id of a restrict that carries our suffix, in lower case. What does not say what it is may be one.
local function our_restrict(row)
  if type(row.requestorComment) ~= "string" then return nil end
  local _, _, operation_id = core.comment.parse(row.requestorComment)
  local is_restrict = type(row.type) ~= "string" or core.text.lower(row.type) == "restrictcodeexecution"
  return is_restrict and operation_id and core.text.lower(operation_id)
end

-- The restricts among the rows, and how long ago they were sent.
local function restricts_of(client, rows)
  local service_now, earlier = client.exchange.clock:agreed(), {}
  for _, row in ipairs(rows) do
    local operation_id = our_restrict(row)
    if operation_id then
      local created = core.history.time(row.creationDateTimeUtc) or service_now
      earlier[#earlier + 1] = { id = operation_id, age = math.max(0, service_now - created) }
    end
  end
  return earlier
end

-- Asks the service what was restricted in the last hour, by its own clock, and counts it. A client that has had no
-- answer yet may have the time wrong; the answer tells it, and then it asks for the right hour.
local function count(client, deadline, tally)
  local exchange = client.exchange
  local rows, err, since
  repeat
    since = exchange.clock:agreed() - HOUR - COUNT_MARGIN
    rows, err = collection.read(exchange, "machineactions",
      ("type eq 'RestrictCodeExecution' and creationDateTimeUtc ge %s"):format(
        os.date("!%Y-%m-%dT%H:%M:%SZ", math.floor(since))),
      nil, deadline)
    if not rows then return nil, err end
  until exchange.clock:agreed() - HOUR >= since
  return tally:merge(restricts_of(client, rows))
end

local function uncounted(client, err)
  local fields = because(err,
    ("nothing was sent, since the restricts of the last hour could not be counted (cap %d)"):format(client.guard.cap),
    "To go on uncounted, give " .. how_to_lift { "cap" } .. ", or a client with cap = false.")
  fields.rule = "cap"
  return errors.new(fields)
end

-- Who counts now. Where the store works again, what was sent meanwhile is known to the service alone.
local function tally_now(guard)
  if guard.spare and guard.tally:doubt() then guard.spare = nil end
  return guard.spare or guard.tally
end

--- What was sent before the count began is counted once, by one request for all who wait for it.
local function count_once(client, intent, tally)
  local guard, exchange = client.guard, client.exchange
  local flights, deadline = exchange.flights, client:deadline(intent, READ_SECONDS)
  while true do
    local whole, err = tally:is_whole()
    if whole then return true end
    if err then return nil, uncounted(client, err) end
    local now, flight = exchange.now(), flights:current "cap"
    if deadline:left() <= 0 then
      return nil, uncounted(client, errors.new { kind = "unavailable", message = "the time was up" })
    end
    if not flight or now >= guard.lease_ends then
      guard.lease_ends = now + COUNT_LEASE_SECONDS
      local own = client.driver.spawn and deadlines.new(exchange.now, math.huge, nil, deadline.rank) or deadline
      flight = flights:start("cap", count, client, own:at_most(COUNT_SECONDS), tally)
    end
    flights:wait(flight, math.min(deadline:left(), guard.lease_ends - now))
    if flight.raised then error(flight.problem, 0) end
    if flight.err then return nil, uncounted(client, flight.err) end
  end
end

local function one_too_many(cap, wait)
  local fields = { kind = "protected", rule = "cap",
    hint = ("If so many are meant, give %s, or the client a higher cap (--cap N)."):format(how_to_lift { "cap" }) }
  if wait then
    fields.retry_at = posix.clock.time() + wait
    fields.message = ("rule \"cap\": as many restricts were sent as may be in an hour (cap = %d); the next may go "
      .. "at %s"):format(cap, os.date("!%Y-%m-%d %H:%M:%S UTC", math.ceil(fields.retry_at)))
  else
    fields.message = "rule \"cap\": this client may not restrict anything (cap = 0)"
  end
  return errors.new(fields)
end

--- Why the cap lets no restrict be sent just now, as far as that is known without asking.
---@param client mde.Client
---@return mde.Error? err of kind `protected`
function M.full(client)
  local guard = client.guard
  if not guard.tally or guard.cap > 0 and not guard.tally:is_whole() then return nil end
  local wait = guard.tally:wait()
  if wait ~= 0 then return one_too_many(guard.cap, wait) end
end

-- A slot of a tally; or how long to wait; or why it cannot be known.
local function take_from(client, intent, tally)
  local lifted = intent.allow.cap
  if not lifted and client.guard.cap > 0 then
    local counted, err = count_once(client, intent, tally)
    if not counted then return nil, nil, err end
  end
  local slot, wait, err = tally:take(core.text.lower(intent.operation_id), lifted)
  return slot, wait, err and uncounted(client, err)
end

--- Takes a slot for a restrict that is about to be sent, unless it has one.
---@param client mde.Client
---@param intent table
---@return true?
---@return mde.Error? err of kind `protected`, or why the sends before could not be counted
function M.take(client, intent)
  local guard = client.guard
  if intent.verb ~= "restrict" or not guard.tally or intent.slot then return true end
  local tally = tally_now(guard)
  local slot, wait, err = take_from(client, intent, tally)
  if err and client.store and tally == guard.tally then
    guard.spare = guard.spare or tallies.new(guard.cap, client.exchange.now)
    tally = guard.spare
    slot, wait, err = take_from(client, intent, tally)
  end
  intent.slot, intent.tally = slot, tally
  if slot then return true end
  return nil, err or one_too_many(guard.cap, wait)
end

--- Nothing was sent: gives the slot back, if there is one.
---@param intent table
function M.give_back(intent)
  if intent.slot then intent.tally:give_back(intent.slot) end
  intent.slot = nil
end

--- Tells how the send ended that the slot was taken for. Its hour begins when it was sent, which can be some
--- time after the slot was taken. The slot is given back only if nothing of any send of this change can have arrived.
---@param client mde.Client
---@param intent table
---@param info table what the exchange tells of the call
function M.settle(client, intent, info)
  if info.class == nil or info.class == "not_sent" then
    if not intent.may_have_arrived then M.give_back(intent) end
    return
  end
  intent.may_have_arrived = true
  if intent.slot then
    intent.tally:went(intent.slot, client.exchange.now() - info.sent)
  end
end

return M
