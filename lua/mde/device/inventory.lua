--- inventory: finds the machine that is meant among those of the tenant, and keeps what was read of it.
--
-- Names are compared without regard to case, blanks around and a dot at the end; a full name does not mean a record
-- with a bare one.

local all_machines = require "mde.device.all_machines"
local choice = require "mde.device.choice"
local core = require "mde.core"
local devices = require "mde.device.device"
local errors = require "mde.base.error"
local identities = require "mde.device.identity"
local lookups_of = require "mde.device.lookups"
local machines = require "mde.device.machine"
local pager = require "mde.api.pager"
local records_of = require "mde.device.record"
local resolves = require "mde.device.resolve"
local times = require "mde.query.times"

local SPURIOUS_ABSENCE_SECONDS = 2
-- The service finds the owner of an address in this span, and in a quarter of an hour around the time.
local ADDRESS_SECONDS, ADDRESS_TOLERANCE_SECONDS = 30 * 86400, 900

-- Renewals of a record within a minute from which on all machines are read for them, if these are few.
local MANY_RENEWALS, RENEWAL_SECONDS = 3, 60

local M = {}

---@class mde.Inventory
---@field exchange mde.Exchange
---@field driver mde.Driver
---@field private records mde.Records
---@field all_machines mde.AllMachines
---@field private lookups mde.Lookups
---@field private renewed number[] when records were renewed, by the driver's clock; the last few
---@field private metatable table of the machines
local Inventory = {}
Inventory.__index = Inventory

-- Whether a row is that of a machine that can be acted on: its id goes into a URL.
local function has_machine_id(row)
  return type(row.id) == "string" and core.device.kind(row.id) == "machine_id"
end

---@param exchange mde.Exchange
---@param driver mde.Driver
---@param metatable table of the machines
---@return mde.Inventory
function M.new(exchange, driver, metatable)
  local inventory = setmetatable({ exchange = exchange, driver = driver, metatable = metatable,
    records = records_of.new(), renewed = {},
    all_machines = all_machines.new(exchange, driver, has_machine_id) }, Inventory)
  inventory.lookups = lookups_of.new(inventory)
  return inventory
end

--- A row of the service as a machine. What was read, and when, is remembered.
---@param row table
---@param read_at? number by the driver's clock; default now
---@return mde.Machine
function Inventory:adopt(row, read_at)
  machines.clean(row)
  self.records:keep(row, read_at or self.exchange.now())
  machines.mend(row)
  return setmetatable(row, self.metatable)
end

--- A machine of which not its record is known, but what its actions tell.
---@param fields table changed in place
---@return mde.Machine
function Inventory:outline(fields)
  return setmetatable(fields, self.metatable)
end

--- What the service said of the machine that this table stands for.
---@param machine table
---@return mde.Record? record nil if it was not read, or if the table has another machine's id now
function Inventory:record_of(machine)
  return self.records:of(machine)
end

-- Whether so many records were renewed lately that all machines are read for the next.
local function renews_many(self)
  local now, renewed = self.exchange.now(), self.renewed
  renewed[#renewed + 1] = now
  if #renewed > MANY_RENEWALS then table.remove(renewed, 1) end
  return #renewed == MANY_RENEWALS and now - renewed[1] < RENEWAL_SECONDS and self.all_machines:are_few()
end

-- The machine's record as it is now, or was less than a minute ago.
local function renew(self, id, max_age, context)
  if renews_many(self) then
    local rows, read_at = self.all_machines:like("machine_id", id, context)
    -- The other records that this client has are as old as this one.
    if rows then self.all_machines:each(function(row) self.records:renew(row, read_at) end) end
    if rows and rows[1] and not self.lookups:has_changed(id, read_at) then
      return choice.unmerged(self:adopt(rows[1], read_at))
    end
  end
  return self:resolve(id, context, max_age)
end

--- What the service said of a machine in the last seconds; else it is read.
---@param machine mde.Machine|{ id: string }
---@param max_age number seconds
---@param context mde.Context
---@return mde.Record? record
---@return mde.Error? err
function Inventory:fresh_record(machine, max_age, context)
  local record = self.records:of(machine)
  if record and self.exchange.now() - record.read_at <= max_age then return record end
  local read, err = renew(self, machine.id, max_age, context)
  if not read then return nil, err end
  return self.records:of(read)
end

--- The machines that a filter selects. One that cannot be told from others has no id.
---@param filter string OData
---@param context mde.Context
---@return table[]? rows
---@return mde.Error? err
function Inventory:read_list(filter, context)
  return pager.read(self.exchange, "machines", filter, has_machine_id, context)
end

local function find(self, question, context)
  local rows, err = self:read_list(table.concat(question.comparisons, " or "), context)
  local by_name = question.kind ~= "guid"
  if by_name and (rows and not rows[1] or err and err.http_status == 400) then
    return resolves.among_all(self, question, {}, context)
  end
  if not rows then return nil, err end
  local records = resolves.matching(self, rows, question)
  -- Where the service regards case, the one in use may stand there in another spelling.
  if by_name and records[1] and not choice.has_live(records) then
    return resolves.among_all(self, question, records, context)
  end
  if #rows > 0 and #records == 0 then
    return nil, errors.new { kind = "protocol", code = "rows_not_asked_for",
      message = ("asked for %s, the service listed %d other machines"):format(question.shown, #rows),
      hint = "Try again later, or give the machine's id." }
  end
  return resolves.choose(question, records)
end

--- The record of a machine id. A known id has been answered with 404 now and then: asked once more.
---@param id string
---@param context mde.Context
---@return mde.Machine? machine
---@return mde.Error? err
function Inventory:read(id, context)
  local exchange = self.exchange
  local function get()
    return exchange:call {
      method = "GET", path = "/machines/" .. id, kind = "read", api = "machine", permission = "Machine.Read.All",
      context = context,
      usable = function(machine)
        if type(machine.id) ~= "string" or core.text.lower(machine.id) ~= id then
          return false, "it is not the machine that was asked for"
        end
        return true
      end,
    }
  end
  local machine, err = get()
  if not machine and err.kind == "not_found" and context:left() > SPURIOUS_ABSENCE_SECONDS then
    exchange.sleep(SPURIOUS_ABSENCE_SECONDS)
    machine, err = get()
  end
  if not machine and err.kind == "not_found" then
    err.message = ("the service knows no machine %s"):format(id)
    err.hint = "Check the id; a machine that was not seen for months is forgotten."
  end
  if not machine then return nil, err end
  machine.id = id
  return self:adopt(machine)
end

-- Raises unless an address and a time are given by which the service can find a machine.
---@param owner { ip: string, at: mde.Time }
---@param now number Unix seconds
---@return string ip
---@return string at in whole seconds
local function check_owner(owner, now)
  for name in pairs(owner) do
    if name ~= "ip" and name ~= "at" then
      errors.invalid("unknown_field", ("mde.machine { ip, at } has no field %s"):format(errors.quote(name)),
        'Write mde.machine { ip = "10.1.2.3", at = mde.ago "2h" }.')
    end
  end
  local kind, ip
  if owner.ip == nil then
    errors.invalid("missing_value",
      "mde.machine { ip, at }: ip is missing", 'Say which address it was: ip = "10.1.2.3".')
  end
  if type(owner.ip) == "string" then kind, ip = core.device.kind(owner.ip) end
  if kind ~= "ip_address" then
    errors.invalid("address_malformed",
      ("mde.machine { ip, at }: ip is %s, which is not an IP address"):format(errors.got(owner.ip)),
      "Write it as 10.1.2.3 or 2001:db8::17; a device's name or id is given alone.")
  elseif owner.at == nil then
    errors.invalid("missing_value",
      "mde.machine { ip, at }: at is missing, and an address belongs to one device now and to another then",
      'Say when it was seen: at = mde.ago "2h", or the time of the alert.')
  end
  local _, at = times.read(owner.at, now, "mde.machine { ip, at }: at")
  if at < now - ADDRESS_SECONDS or at > now + ADDRESS_TOLERANCE_SECONDS then
    errors.invalid("time_out_of_range",
      ("mde.machine { ip, at }: at is %s, which does not lie in the last 30 days"):format(times.read(at, now, "at")),
      "The service remembers for so long who had an address.")
  end
  return ip, (times.read(math.floor(at), now, "at"))
end

--- The machine that had an address a quarter of an hour around a time. Raises if these cannot name one.
---@param owner { ip: string, at: mde.Time }
---@param context mde.Context
---@return mde.Machine? machine
---@return mde.Error? err
function Inventory:find_owner(owner, context)
  local exchange = self.exchange
  check_owner(owner, exchange.clock:time())
  local settled, problem = exchange:settle_clock(context)
  if not settled then return nil, problem end
  local ip, at = check_owner(owner, exchange.clock:time())
  local answer, err = exchange:call {
    method = "GET", path = ("/machines/findbyip(ip=%s,timestamp=%s)"):format(core.odata.literal(ip), at),
    kind = "read", api = "findbyip", permission = "Machine.Read.All", context = context,
    usable = pager.lists(has_machine_id),
  }
  if not answer and err.kind ~= "not_found" then return nil, err end
  local records = {}
  for i, row in ipairs(answer and answer.value or {}) do records[i] = row.id and self:adopt(row) or row end
  return choice.one({ shown = ("with the address %s at %s"):format(ip, at),
    hint = "The service looks a quarter of an hour around that time; it is UTC unless it says otherwise." }, records)
end

--- The same, unless it was merged into another.
---@param id string
---@param context mde.Context
---@return mde.Machine? machine
---@return mde.Error? err
function Inventory:read_unmerged(id, context)
  return choice.unmerged(self:read(id, context))
end

-- What is known of a machine that is given as a table: what the service said of it, or else what the table says. A
-- table that got the id of another machine tells nothing of that one.
local function known(self, device, id, context)
  if self.records:has_other(device) then return self:read_unmerged(id, context) end
  local record, err = choice.unmerged(self.records:of(device) or device)
  return record and device, err
end

--- What was read of machines by now serves nobody any more.
function Inventory:expire()
  self.records:expire()
  self.all_machines:expire()
end

--- This client has changed the machine: what was read of it before serves nobody.
---@param id string
function Inventory:note_change(id)
  self.lookups:note_change(id)
end

--- Finds the machine that is meant. Raises if the device cannot name one.
---@param device mde.Device
---@param context mde.Context
---@param max_age? number seconds; how old what was read for others of the same `each` may be, default a minute; 0: it
--- is read for this call
---@return mde.Machine? machine its whole record
---@return mde.Error? err
function Inventory:resolve(device, context, max_age)
  local kind, canonical = devices.check(device)
  if kind == "identity" then
    local machine, err = self:resolve(canonical, context, max_age)
    if not machine then return nil, err end
    return identities.check(device, machine)
  end
  self.all_machines:forget_old()
  if kind == "machine" then return known(self, device, canonical, context) end
  local question = resolves.question(kind, canonical, devices.shown(device))
  if context.cache and max_age ~= 0 then
    local machine, err = self.lookups:find(question, max_age, context)
    if machine or err then return machine, err end
  end
  if kind == "machine_id" then return self:read_unmerged(canonical, context) end
  return find(self, question, context)
end

--- Finds what each of many devices means, with a handful of requests. One that cannot name a device is an error of its
--- own.
---@param list mde.Device[]
---@param context mde.Context
---@return mde.Results results in the order of the list: `value` the machine, or `err`
function Inventory:resolve_many(list, context)
  self.all_machines:forget_old()
  return resolves.many(self, list, context)
end

return M
