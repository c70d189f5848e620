--- device: which machine is meant?
--
-- A device is a machine id, an Entra device id, a full or bare DNS name, a machine table, or several of
-- the first three that must mean one device (identity.lua). A name or an Entra id means the onboarded
-- records that were not merged into another; inactive ones count only if there is no other; several are
-- an error that lists them. Nothing is ever guessed. Names are compared without regard to case, blanks around
-- and a dot at the end; a full name does not mean a record with a bare one.

local all_machines = require "mde.device.all_machines"
local collection = require "mde.api.pager"
local core = require "mde.core"
local errors = require "mde.base.error"
local identities = require "mde.device.identity"
local machines = require "mde.device.machine"
local names = require "mde.query.names"
local queries = require "mde.query.filter"

local SPURIOUS_ABSENCE_SECONDS = 2
-- The service finds the owner of an address in this span, and in a quarter of an hour around the time.
local ADDRESS_SECONDS, ADDRESS_TOLERANCE = 30 * 86400, 900

---@alias mde.Device string|mde.Machine|mde.Identity

local M = {}

local odata = core.odata

--- What the caller called the device, for errors.
---@param device any
---@return string
function M.shown(device)
  if type(device) == "table" and device.id == nil and (device.ip ~= nil or device.at ~= nil) then
    return ("{ ip = %s }"):format(errors.got(device.ip))
  elseif identities.is(device) then
    return errors.quote(device)
  elseif type(device) == "table" then
    return errors.quote(device.computerDnsName or device.id or "a machine")
  end
  return errors.quote(device)
end

-- The record of a machine that can be acted on: its id goes into a URL.
local function is_machine(row)
  if odata.kind(row.id) ~= "machine_id" then return false, "a machine's id is not 40 hex digits" end
  return machines.is_row(row)
end

local function merged(machine)
  return errors.new {
    kind = "not_found",
    message = ("machine %s was merged into machine %s"):format(errors.show(machine.id),
      errors.show(machine.mergedIntoMachineId)),
    hint = "Name the surviving machine: " .. errors.show(machine.mergedIntoMachineId) .. ".",
    candidates = { { id = machine.mergedIntoMachineId } },
  }
end

--- Raises unless this can name a device.
---@param device any
---@return string kind "machine_id", "guid", "full_name", "bare_name", "machine" or "identity"
---@return string canonical the id or name to look for
function M.check(device)
  if identities.is(device) then return "identity", device[1] end
  if type(device) == "table" then
    local kind, id = nil, nil
    if type(device.id) == "string" then kind, id = odata.kind(device.id) end
    if kind ~= "machine_id" then
      errors.invalid("the machine table has no id of a machine (40 hex digits)",
        device.ip ~= nil and "Find the machine first, by mde.machine { ip = ..., at = ... }."
          or "Give a machine that a query returned, or a device name.")
    end
    return "machine", id
  end
  if type(device) ~= "string" then
    local got = device == nil and "nil" or "a " .. type(device)
    errors.invalid(("a device is a string or a machine, not %s"):format(got),
      device == nil and "Find out why it is nil: a machine that was not found, say."
        or "Give a machine that a query returned, its id (40 hex digits), its Entra device id (GUID) or its DNS name.")
  end
  local kind, canonical = odata.kind(device)
  if not kind then
    errors.invalid(("the device %s %s"):format(errors.quote(device), canonical),
      "Give a machine id (40 hex digits), an Entra device id (GUID) or a DNS name.")
  elseif kind == "ip_address" then
    errors.invalid(("the device %s is an IP address, and who has it now may not be who had it then")
      :format(errors.quote(device)),
      "Give the device's name or id, or find who had it by mde.machine { ip = ..., at = ... }.")
  end
  return kind, canonical
end

local function names_filter(name, bare)
  local clauses = names.render("computerDnsName", "eq", name)
  if bare then
    for _, clause in ipairs(names.render("computerDnsName", "startswith", name .. ".")) do
      clauses[#clauses + 1] = clause
    end
  end
  return table.concat(clauses, " or ")
end

local function has_name(machine, name, bare)
  local own = machine.computerDnsName
  return type(own) == "string"
    and (core.name.matches(own, "eq", name) or bare and core.name.matches(own, "startswith", name .. "."))
end

--- How to ask for the records, and how to tell that one is what was asked for.
local function question(kind, canonical)
  if kind == "guid" then
    return "aadDeviceId eq " .. canonical, function(machine)
      return type(machine.aadDeviceId) == "string" and core.text.lower(machine.aadDeviceId) == canonical
    end
  end
  local bare = kind == "bare_name"
  return names_filter(canonical, bare), function(machine) return has_name(machine, canonical, bare) end
end

local function is(value, word)
  return type(value) == "string" and core.text.lower(value) == word
end

local function newest_first(list)
  table.sort(list, function(a, b)
    local x, y = machines.last_seen(a) or "", machines.last_seen(b) or ""
    if x ~= y then return core.text.before(y, x) end
    return core.text.before(a.id, b.id)
  end)
  return list
end

local function describe(machine)
  return ("%s (%s, %s, last seen %s)"):format(errors.show(machine.id),
    errors.show(machine.computerDnsName or "no name"), errors.show(machine.healthStatus or "health unknown"),
    errors.show(machines.last_seen(machine) or "never"))
end

-- Why none of the records that were found is the device.
local function nothing_left(shown, records)
  local survivor, all_merged = nil, true
  for _, machine in ipairs(records) do
    survivor = survivor or machine.mergedIntoMachineId
    all_merged = all_merged and machine.mergedIntoMachineId ~= nil
  end
  if survivor then
    return errors.new { kind = "not_found", candidates = { { id = survivor } },
      message = ("every record of %s was merged into another machine%s"):format(shown,
        all_merged and "" or " or is not onboarded"),
      hint = "If that is the one you mean, name it: " .. errors.show(survivor) .. "." }
  end
  return errors.new { kind = "not_found", candidates = newest_first(records),
    message = ("%s is known to the service, but not onboarded (%s)"):format(shown,
      errors.show(records[1].onboardingStatus)),
    hint = "Only an onboarded device can be restricted or released." }
end

-- No record is the device. `similar`: records whose names begin alike.
local function not_found(shown, hint, similar)
  local lines = {}
  for i, machine in ipairs(newest_first(similar or {})) do
    if i <= 5 then lines[i] = describe(machine) end
  end
  return errors.new { kind = "not_found", candidates = lines[1] and similar or nil,
    message = ("the service knows no device %s"):format(shown),
    hint = lines[1] and ("If you mean one of these, give its id: %s."):format(table.concat(lines, "; "))
      or hint or "Check the spelling: a bare host name or the full DNS name, an Entra device id, or a machine id." }
end

-- Those of some records that can be acted on and are in use, and those that are not in use.
local function usable(records)
  local live, inactive = {}, {}
  for _, machine in ipairs(records) do
    local onboarded = machine.onboardingStatus == nil or is(machine.onboardingStatus, "onboarded")
    if onboarded and machine.mergedIntoMachineId == nil then
      local group = is(machine.healthStatus, "inactive") and inactive or live
      group[#group + 1] = machine
    end
  end
  return live, inactive
end

--- The one record that a name or an Entra device id means.
local function choose(shown, records, hint, similar)
  if #records == 0 then return nil, not_found(shown, hint, similar) end
  local live, inactive = usable(records)
  local candidates = #live > 0 and live or inactive
  if #candidates == 0 then return nil, nothing_left(shown, records) end
  if #candidates == 1 then return candidates[1] end
  local lines = {}
  for i, machine in ipairs(newest_first(candidates)) do
    if i <= 5 then lines[i] = describe(machine) end
  end
  if #candidates > 5 then lines[6] = ("%d more"):format(#candidates - 5) end
  return nil, errors.new { kind = "ambiguous", candidates = candidates,
    message = ("%d devices answer to %s: %s"):format(#candidates, shown, table.concat(lines, "; ")),
    hint = "Give the id of the one you mean." }
end

-- Those of some rows that match, and the others.
local function parted(client, rows, matches, read_at)
  local records, others = {}, {}
  for _, row in ipairs(rows) do
    local list = matches(row) and records or others
    list[#list + 1] = machines.adopt(client, row, read_at)
  end
  return records, others
end

-- A name that was not found as it was asked for, or could not be asked for: it may be stored in another spelling.
-- `found`: records of it that are known already.
local function find_among_all(client, canonical, shown, matches, found, deadline)
  local rows, read_at = client.all_machines:like(canonical, deadline)
  if not rows then return nil, read_at end
  local records, others = parted(client, rows, matches, read_at)
  local is_known = {}
  for _, machine in ipairs(records) do is_known[core.text.lower(machine.id)] = true end
  for _, machine in ipairs(found) do
    if not is_known[core.text.lower(machine.id)] then records[#records + 1] = machine end
  end
  return choose(shown, records, nil, others)
end

local function find(client, kind, canonical, shown, deadline)
  local filter, matches = question(kind, canonical)
  local rows, err = collection.read(client.exchange, "machines", filter, is_machine, deadline)
  local by_name = kind ~= "guid"
  if by_name and (rows and not rows[1] or err and err.http_status == 400) then
    return find_among_all(client, canonical, shown, matches, {}, deadline)
  end
  if not rows then return nil, err end
  local records = parted(client, rows, matches)
  -- Where the service regards case, the one in use may stand there in another spelling.
  if by_name and records[1] and not usable(records)[1] then
    return find_among_all(client, canonical, shown, matches, records, deadline)
  end
  if #rows > 0 and #records == 0 then
    return nil, errors.new { kind = "protocol",
      message = ("asked for %s, the service listed %d other machines"):format(shown, #rows),
      hint = "Try again later, or give the machine's id." }
  end
  return choose(shown, records)
end

--- The record of a machine id. A known id has been answered with 404 now and then: asked once more.
---@param client mde.Client
---@param id string
---@param deadline mde.Deadline
---@return mde.Machine? machine
---@return mde.Error? err
function M.read(client, id, deadline)
  local exchange = client.exchange
  local function get()
    return exchange:call {
      method = "GET", path = "/machines/" .. id, kind = "read", api = "machine", permission = "Machine.Read.All",
      deadline = deadline,
      usable = function(machine)
        if type(machine.id) ~= "string" or core.text.lower(machine.id) ~= id then
          return false, "it is not the machine that was asked for"
        end
        return machines.is_row(machine)
      end,
    }
  end
  local machine, err = get()
  if not machine and err.kind == "not_found" and deadline:left() > SPURIOUS_ABSENCE_SECONDS then
    exchange.sleep(SPURIOUS_ABSENCE_SECONDS)
    machine, err = get()
  end
  if not machine and err.kind == "not_found" then
    err.message = ("the service knows no machine %s"):format(id)
    err.hint = "Check the id; a machine that was not seen for months is forgotten."
  end
  if not machine then return nil, err end
  machine.id = id
  return machines.adopt(client, machine)
end

-- Raises unless an address and a time are given by which the service can find a machine.
---@param owner { ip: string, at: mde.Time }
---@param now number Unix seconds
---@return string ip
---@return string at in whole seconds
local function check_owner(owner, now)
  for name in pairs(owner) do
    if name ~= "ip" and name ~= "at" then
      errors.invalid(("mde.machine { ip, at } has no field %s"):format(errors.quote(name)),
        'Write mde.machine { ip = "10.1.2.3", at = mde.ago "2h" }.')
    end
  end
  local kind, ip
  if owner.ip == nil then
    errors.invalid("mde.machine { ip, at }: ip is missing", 'Say which address it was: ip = "10.1.2.3".')
  end
  if type(owner.ip) == "string" then kind, ip = odata.kind(owner.ip) end
  if kind ~= "ip_address" then
    errors.invalid(("mde.machine { ip, at }: ip is %s, which is not an IP address"):format(errors.got(owner.ip)),
      "Write it as 10.1.2.3 or 2001:db8::17; a device's name or id is given alone.")
  elseif owner.at == nil then
    errors.invalid(
      "mde.machine { ip, at }: at is missing, and an address belongs to one device now and to another then",
      'Say when it was seen: at = mde.ago "2h", or the time of the alert.')
  end
  local _, at = queries.time(owner.at, now, "mde.machine { ip, at }: at")
  if at < now - ADDRESS_SECONDS or at > now + ADDRESS_TOLERANCE then
    errors.invalid(
      ("mde.machine { ip, at }: at is %s, which does not lie in the last 30 days"):format(queries.time(at, now, "at")),
      "The service remembers for so long who had an address.")
  end
  return ip, (queries.time(math.floor(at), now, "at"))
end

--- The machine that had an address a quarter of an hour around a time. Raises if these cannot name one.
---@param client mde.Client
---@param owner { ip: string, at: mde.Time }
---@param deadline mde.Deadline
---@return mde.Machine? machine
---@return mde.Error? err
function M.find_owner(client, owner, deadline)
  local exchange = client.exchange
  check_owner(owner, exchange.clock:time())
  local settled, problem = exchange:settle_clock(deadline)
  if not settled then return nil, problem end
  local ip, at = check_owner(owner, exchange.clock:time())
  local answer, err = exchange:call {
    method = "GET", path = ("/machines/findbyip(ip=%s,timestamp=%s)"):format(odata.literal(ip), at),
    kind = "read", api = "findbyip", permission = "Machine.Read.All", deadline = deadline,
    usable = collection.lists(is_machine),
  }
  if not answer and err.kind ~= "not_found" then return nil, err end
  local records = {}
  for i, row in ipairs(answer and answer.value or {}) do records[i] = machines.adopt(client, row) end
  return choose(("with the address %s at %s"):format(ip, at), records,
    "The service looks a quarter of an hour around that time; it is UTC unless it says otherwise.")
end

local function unmerged(machine, err)
  if machine and machine.mergedIntoMachineId ~= nil then return nil, merged(machine) end
  return machine, err
end

-- What is known of a machine that is given as a table: what the service said of it, or else what the table says. A
-- table that got the id of another machine tells nothing of that one.
local function known(client, device, id, deadline)
  if client.records:has_other(device) then return unmerged(M.read(client, id, deadline)) end
  local record, err = unmerged(client.records:of(device) or device)
  return record and device, err
end

--- The machines by name of a client.
---@param exchange mde.Exchange
---@param driver mde.Driver
---@return mde.AllMachines
function M.all_machines(exchange, driver)
  return all_machines.new(exchange, driver, is_machine)
end

--- Finds the machine that is meant. Raises if the device cannot name one.
---@param client mde.Client
---@param device mde.Device
---@param deadline mde.Deadline
---@return mde.Machine? machine its whole record
---@return mde.Error? err
function M.resolve(client, device, deadline)
  local kind, canonical = M.check(device)
  if kind == "identity" then
    local machine, err = M.resolve(client, canonical, deadline)
    if not machine then return nil, err end
    return identities.check(device, machine)
  end
  client.all_machines:forget_old()
  if kind == "machine" then return known(client, device, canonical, deadline) end
  if kind == "machine_id" then return unmerged(M.read(client, canonical, deadline)) end
  return find(client, kind, canonical, M.shown(device), deadline)
end

return M
