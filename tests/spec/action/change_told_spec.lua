-- What a client tells of the changes that it makes: each state change once.
local changes = require "mde.audit.change"
local errors = require "mde.base.error"
local rehearsal = require "tests.spec.support.rehearsal"

local NAMES = { "pc-1", "pc-2", "pc-3" }

describe("a client", function()
  local r, told

  local function set_up(options)
    told = {}
    local all = { limits = false, unguarded = true, machines = {} }
    for i, name in ipairs(NAMES) do
      all.machines[i] = { id = ("%040x"):format(i), computerDnsName = name .. ".corp.example",
        osPlatform = "Windows11", lastIpAddress = "10.0.0." .. i }
    end
    for name, value in pairs(options or {}) do all[name] = value end
    all.client = all.client or {}
    all.client.on_event = function(event)
      if event.event == "change" then told[#told + 1] = event end
    end
    r = rehearsal.new(all)
  end

  before_each(function() set_up() end)

  local function words()
    local list = {}
    for i, change in ipairs(told) do list[i] = change.verb .. " " .. change.outcome end
    return list
  end

  it("tells that it was accepted, with all that is known", function()
    local action = assert(r.client:restrict("pc-1", "beacon", { incident = "INC-1" }))
    assert.same({ "restrict accepted" }, words())
    local change = told[1]
    assert.same({ action.id, "Pending", ("%040x"):format(1), "pc-1.corp.example", "INC-1", "beacon",
      action.operation_id, 1, true, 201, "pc-1", "10.0.0.1", r.tenant.tenant_id, r.tenant.client_id },
      { change.action_id, change.status, change.machine_id, change.computerDnsName, change.incident, change.comment,
        change.operation_id, change.attempts, change.looked, change.http_status, change.asked,
        change.device.lastIpAddress, change.tenant_id, change.client_id })
    assert.is_number(change.time)
  end)

  it("tells the end of an action that is waited for, once", function()
    local action = assert(r.client:restrict("pc-1", "beacon", { incident = "INC-1" }))
    for _ = 1, 2 do assert.equal("Succeeded", action:wait()) end
    assert.same({ "restrict accepted", "restrict succeeded" }, words())
    assert.equal("10.0.0.1", told[2].device.lastIpAddress)
    assert.equal(told[1].operation_id, told[2].operation_id)
  end)

  it("tells the ends of many that are waited for together, once each", function()
    r.tenant:put_machine { id = ("%040x"):format(2), failing = true }
    local actions = {}
    for i, name in ipairs(NAMES) do actions[i] = assert(r.client:restrict(name, "beacon")) end
    actions[4] = actions[1]
    r.client:wait(actions)
    local list = words()
    table.sort(list)
    assert.same({ "restrict accepted", "restrict accepted", "restrict accepted", "restrict failed",
      "restrict succeeded", "restrict succeeded" }, list)
  end)

  it("tells the end of what was active already and has ended since, and of nothing else", function()
    local machine, incident = ("%040x"):format(1), { incident = "INC-1" }
    r:past(machine, "restrict", "Succeeded", 600, { requestorComment = "x [mde:INC-1:abcdefgh]" })
    assert(r.client:restrict("pc-1", "mine", incident)):wait()
    assert.same({ "restrict already_active" }, words())
    set_up()
    assert(r.client:restrict("pc-2", "theirs", incident))
    told = {}
    assert(r.client:restrict("pc-2", "mine", incident)):wait()
    assert.same({ "restrict already_active", "restrict succeeded" }, words())
    assert.same({ "mine", told[1].operation_id }, { told[2].comment, told[2].operation_id })
    -- What others did is no change of ours.
    for action in r.client:actions "all" do action:wait() end
    assert.equal(2, #told)
  end)

  it("tells at once of an action that was final when the answer came", function()
    r:answer({ method = "POST", path = "restrict" }, 201, { id = "5382f7ea-7557-4ab7-9782-d50480024a4e",
      type = "RestrictCodeExecution", status = "Succeeded", machineId = ("%040x"):format(1),
      requestorComment = "beacon [mde:abcdefgh]" })
    local action = r.client:restrict("pc-1", "beacon", { key = "abcdefgh" })
    assert.equal("accepted", action and action.outcome)
    action:wait()
    assert.same({ "restrict accepted", "restrict succeeded" }, words())
  end)

  it("tells each error of a change with its kind, rule and code", function()
    set_up { unguarded = false, client = { cap = 1, protect = { names = { "pc-2*" }, servers = false,
      device_values = {} } } }
    for _, case in ipairs {
      { "nobody", "not_found" }, { "pc-2", "protected", "names" }, { "pc-1", "accepted" }, { "pc-3", "cap", "cap" },
    } do
      told = {}
      local _, err = r.client:restrict(case[1], "beacon")
      assert.same({ "restrict " .. case[2] }, words())
      assert.equal(case[3], told[1].rule)
      assert.equal(case[1], told[1].asked)
      assert.equal(err and err.code, told[1].code)
      assert.equal(err and err.message, told[1].message)
      assert.is_string(told[1].operation_id)
    end
  end)

  it("tells what nobody knows, and what was found out of it when that is waited for", function()
    set_up { client = { timeout = 60 } }
    r:fault { match = { method = "POST", path = "restrict" }, fault = "gone" }
    r:answer({ method = "GET", path = "machineactions" }, 503, "{}", { count = false })
    local _, err = r.client:restrict("pc-1", "beacon", { look = false })
    assert.equal("unknown", err.kind)
    assert.same({ "restrict unknown" }, words())
    assert.is_number(told[1].sent_at)
    r.tenant.faults:clear()
    local found = r.client:find_action(err)
    if found then found:wait() end
    assert.equal(err.operation_id, told[#told].operation_id)
  end)

  it("tells of what the service says no to", function()
    for outcome, status in pairs { refused = 409, permission = 403, throttled = 429 } do
      set_up { client = { timeout = 20 } }
      r:answer({ method = "POST", path = "restrict" }, status, { error = { code = "Other", message = "No." } },
        { count = false })
      local _, err = r.client:restrict("pc-1", "beacon", { look = false })
      assert.is_true(errors.is(err))
      assert.same({ "restrict " .. outcome }, words())
      assert.equal(status, told[1].http_status)
    end
  end)

  it("tells of a cancellation, and of one that there was nothing to cancel for", function()
    r.tenant:put_machine { id = ("%040x"):format(1), offline = true }
    local action = assert(r.client:restrict("pc-1", "beacon", { incident = "INC-1" }))
    assert(r.client:cancel(action, "wrong laptop"))
    assert.same({ "restrict accepted", "cancel succeeded" }, words())
    assert.same({ action.id, action.machineId, "INC-1", "wrong laptop", "Cancelled" }, { told[2].action_id,
      told[2].machine_id, told[2].incident, told[2].comment, told[2].status })
    local other = assert(r.client:restrict("pc-2", "beacon"))
    other:wait()
    r.client:cancel(other.id, "too late")
    assert.equal("cancel conflict", words()[#told])
    r.client:cancel("5382f7ea-7557-4ab7-9782-d50480024a4e", "which")
    assert.equal("cancel", told[#told].verb)
    assert.equal("5382f7ea-7557-4ab7-9782-d50480024a4e", told[#told].action_id)
  end)

  it("tells of the cancellation that makes way for a release", function()
    r.tenant:put_machine { id = ("%040x"):format(1), offline = true }
    local action = assert(r.client:restrict("pc-1", "beacon", { incident = "INC-1" }))
    assert(r.client:release("pc-1", "fine", { incident = "INC-1" }))
    assert.same({ "restrict accepted", "cancel succeeded", "release accepted" }, words())
    assert.same({ action.id, "INC-1", "fine" }, { told[2].action_id, told[2].incident, told[2].comment })
  end)

  it("tells nothing of a dry run, and nothing where an argument is wrong", function()
    assert(r.client:restrict("pc-1", "beacon", { dry_run = true }))
    assert.is_false(pcall(r.client.restrict, r.client, "pc-1", ""))
    assert.same({}, told)
  end)

  it("tells of a device that a caller leaves by itself", function()
    local err = errors.new { kind = "ambiguous", code = "several_devices", message = "which?" }
    r.client:tell_left("restrict", "pc-1", "beacon", { incident = "INC-1" }, nil, err)
    r.client:tell_left("release", assert(r.client:machine "pc-2"), "fine", {}, nil, err)
    r.client:tell_left("release", "pc-3", "fine", {}, { outcome = "already_active" })
    r.client:tell_left("isolate", "pc-1", "beacon", { isolation_type = "Selective" }, nil, err)
    r.client:tell_left("quarantine", "pc-1", "beacon", { sha1 = ("A1"):rep(20) }, nil, err)
    assert.same({ "restrict ambiguous", "release ambiguous", "release already_active", "isolate ambiguous",
      "quarantine ambiguous" }, words())
    assert.same({ "Selective", ("a1"):rep(20) }, { told[4].scope, told[5].sha1 })
    assert.same({ "pc-1", "INC-1", "beacon" }, { told[1].asked, told[1].incident, told[1].comment })
    assert.same({ ("%040x"):format(2), "pc-2.corp.example", "10.0.0.2" }, { told[2].machine_id,
      told[2].computerDnsName, told[2].device.lastIpAddress })
  end)

  -- Restricts, waits and cancels while standard error is kept; it is one line, or one event.
  local function goes_on(said)
    local stderr, written = io.stderr, {}
    io.stderr = { write = function(_, ...) -- luacheck: ignore 122
      local text = table.concat { ... }
      if text:find("on_event raised", 1, true) then written[#written + 1] = text end
    end }
    local ok, action = pcall(r.client.restrict, r.client, "pc-1", "beacon")
    local waited = ok and action and action:wait()
    local cancelled = ok and action and pcall(r.client.cancel, r.client, action, "wrong")
    io.stderr = stderr -- luacheck: ignore 122
    assert.is_true(ok)
    assert.same({ "Succeeded", true }, { waited, cancelled })
    assert.equal(1, r:count "action_created")
    assert.equal(1, #written)
    assert.matches(said, written[1], 1, true)
  end

  it("is not disturbed by a watcher that raises, and says so once", function()
    r.client.exchange.trace.on_event = function(event) if event.event == "change" then error "I raise" end end
    goes_on "I raise"
  end)

  it("is not disturbed where there is no memory to tell it", function()
    local original = { changes.of, changes.ended }
    changes.of = function() error("not enough memory", 0) end
    changes.ended = changes.of
    local ok, problem = pcall(goes_on, "not enough memory")
    changes.of, changes.ended = original[1], original[2]
    assert(ok, problem)
  end)

  it("has no secret in it", function()
    local secret = r.tenant.client_secret
    assert(r.client:restrict("pc-1", "saw " .. secret))
    assert.equal("saw [redacted]", told[1].comment)
  end)
end)
