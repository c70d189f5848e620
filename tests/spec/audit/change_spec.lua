local changes = require "mde.audit.change"
local errors = require "mde.base.error"

local ID, ACTION, OTHER = ("a1"):rep(20), ("5"):rep(8) .. "-0000-4000-8000-000000000001", "0-another"

local function known(fields)
  local own = { verb = "restrict", machine_id = ID, computerDnsName = "pc-1.corp.example", operation_id = "op-12345678",
    comment = "beacon [mde:INC-1:op-12345678]" }
  for name, value in pairs(fields or {}) do own[name] = value end
  return own
end

describe("what is told of a change", function()
  it("is what an action says, and the user's part of the comment", function()
    local change = changes.of(known { http_status = 201 }, { outcome = "accepted", id = ACTION, status = "Pending",
      attempts = 1, looked = true, machineId = "another" })
    assert.same({ event = "change", verb = "restrict", outcome = "accepted", machine_id = ID,
      computerDnsName = "pc-1.corp.example", operation_id = "op-12345678", incident = "INC-1", comment = "beacon",
      action_id = ACTION, status = "Pending", attempts = 1, looked = true, http_status = 201 }, change)
  end)

  it("is what an error says, and the action that stands in the way", function()
    local change = changes.of(known(), nil, errors.new { kind = "conflict", code = "opposite_pending", message = "why",
      hint = "do", action = { id = OTHER, status = "Pending", machineId = ID }, http_status = 400, request_id = "r" })
    assert.same({ event = "change", verb = "restrict", outcome = "conflict", kind = "conflict",
      code = "opposite_pending", message = "why", machine_id = ID, computerDnsName = "pc-1.corp.example",
      operation_id = "op-12345678", incident = "INC-1", comment = "beacon", other_action_id = OTHER,
      http_status = 400, request_id = "r" }, change)
  end)

  it("of a cancellation names the action, once, and its machine", function()
    local change = changes.of({ verb = "cancel", action_id = ACTION, comment = "wrong laptop" }, nil,
      errors.new { kind = "conflict", code = "already_ended", message = "why",
        action = { id = ACTION, machineId = ID, computerDnsName = "pc-1" } })
    assert.same({ ACTION, ID, "pc-1", "wrong laptop" },
      { change.action_id, change.machine_id, change.computerDnsName, change.comment })
    assert.is_nil(change.other_action_id)
    for status, outcome in pairs { Cancelled = "succeeded", Pending = "pending" } do
      local row = { id = ACTION, status = status }
      assert.equal(outcome, changes.of({ verb = "cancel", action_id = ACTION }, row).outcome)
    end
  end)

  it("is unknown where something else was raised", function()
    local change = changes.of(known(), nil, "boom\27")
    assert.same({ "unknown", "boom\\x1b" }, { change.outcome, change.message })
  end)

  it("leaves out what is no text where one belongs", function()
    local change = changes.of(known { computerDnsName = {} }, { outcome = "accepted", id = 5, status = {} })
    assert.is_nil(change.computerDnsName)
    assert.is_nil(change.action_id)
    assert.is_nil(change.status)
  end)
end)

describe("what is told of an action that is final", function()
  for status, outcome in pairs { Succeeded = "succeeded", Failed = "failed", TimeOut = "timeout", Timeout = "timeout",
    Cancelled = "cancelled" } do
    it("is the outcome of " .. status, function()
      local change = changes.ended { id = ACTION, type = "RestrictCodeExecution", status = status, machineId = ID,
        requestorComment = "beacon [mde:INC-1:op-12345678]", troubleshootInfo = "why", cancellationComment = "no" }
      assert.same({ "restrict", outcome, ID, "INC-1", "op-12345678", status }, { change.verb, change.outcome,
        change.machine_id, change.incident, change.operation_id, change.status })
      assert.equal(outcome == "cancelled" and "no" or outcome ~= "succeeded" and "why" or nil, change.message)
    end)
  end

  it("is by the call that gave it, where that is known", function()
    local change = changes.ended({ id = ACTION, type = "restrictcodeexecution", status = "Succeeded",
      requestorComment = "theirs [mde:INC-9:op-87654321]" }, known())
    assert.same({ "INC-1", "beacon", "op-12345678", ID }, { change.incident, change.comment, change.operation_id,
      change.machine_id })
    assert.equal("release", changes.ended({ type = "UnrestrictCodeExecution", status = "Failed" }).verb)
  end)

  it("is of the first verb of its type, with the scope or the file where that is known", function()
    assert.equal("isolate", changes.ended({ id = ACTION, type = "Isolate", status = "Succeeded" }).verb)
    local change = changes.ended({ id = ACTION, type = "Isolate", status = "Succeeded" }, { verb = "contain" })
    assert.equal("contain", change.verb)
    change = changes.ended({ id = ACTION, type = "Isolate", status = "Failed" }, { verb = "isolate", subject = "Full" })
    assert.same({ "isolate", "Full" }, { change.verb, change.scope })
    change = changes.of({ verb = "quarantine", subject = "a1" }, nil, nil)
    assert.same({ "quarantine", "a1" }, { change.verb, change.sha1 })
    assert.is_nil(changes.of({ verb = "restrict", subject = "a1" }, nil, nil).sha1)
  end)

  it("is nothing for an action of another type", function()
    assert.is_nil(changes.ended { id = ACTION, type = "LiveResponse", status = "Succeeded" })
    assert.is_nil(changes.ended { id = ACTION, status = "Succeeded" })
  end)
end)

describe("a machine", function()
  it("is told of with the fields that are texts", function()
    assert.same({ osPlatform = "Windows11", lastSeen = "x" },
      changes.device { id = ID, osPlatform = "Windows11", lastSeen = "x", version = {}, riskScore = "High" })
    assert.is_nil(changes.device { id = ID })
  end)
end)

describe("what stands in a record", function()
  it("is read as it was told", function()
    local change = changes.of(known { http_status = 201, device = { osPlatform = "Windows11" } }, nil,
      errors.new { kind = "unknown", code = "closed", message = "why", sent_at = 1.5, http_status = 500 })
    assert.same(change, changes.read(change))
    local action = changes.of(known { http_status = 201 }, { outcome = "accepted", id = ACTION, status = "Pending",
      attempts = 1, looked = true, recorded = false, reconciled = true })
    assert.same(action, changes.read(action))
  end)

  it("is passed over where it is of no verb or outcome", function()
    for _, value in ipairs { false, 5, "x", {}, { verb = "restrict" }, { verb = "erase", outcome = "accepted" },
      { verb = "restrict", outcome = "done" }, { verb = {}, outcome = "accepted" } } do
      assert.is_nil(changes.read(value))
    end
  end)

  it("has nothing that is of another type or another name", function()
    local odd = { verb = "cancel", outcome = "accepted", attempts = "1", looked = 1, comment = {}, kind = 5, run = "R",
      time = "now", http_status = {}, device = { osPlatform = {}, version = "1", more = "x" }, more = "x" }
    assert.same({ event = "change", verb = "cancel", outcome = "accepted", device = { version = "1" } },
      changes.read(odd))
    odd.device = "x"
    assert.is_nil(changes.read(odd).device)
  end)
end)
