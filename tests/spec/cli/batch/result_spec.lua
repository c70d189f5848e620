-- result: how the outcome of one device is told.
-- Labels: not-lua5.3
local errors = require "mde.base.error"
local result = require "mde.cli.batch.result"

local function failed(kind)
  return { device = "x", err = errors.new { kind = kind, code = "Made up", message = "why" } }
end

local function with_action(fields)
  local action = { id = "5c1f9a52-0000-4000-8000-000000000001", status = "Pending", machineId = "1f17",
    computerDnsName = "desk-1.corp.example", outcome = "accepted" }
  for name, value in pairs(fields or {}) do action[name] = value end
  return { device = "desk-1", done = true, action = action }
end

describe("the outcome of a device", function()
  for what, case in pairs {
    ["was accepted"] = { with_action(), "restrict",
      "desk-1.corp.example: restriction accepted (action 5c1f9a52-0000-4000-8000-000000000001, Pending)" },
    ["was accepted among many"] = { with_action(), "release", "desk-1.corp.example: release accepted", true },
    ["was so already"] = { with_action { outcome = "already_active", status = "Succeeded", requestor = "alice",
      requestorComment = "beacon" }, "restrict", "desk-1.corp.example: already restricted (action "
      .. '5c1f9a52-0000-4000-8000-000000000001, Succeeded, by alice: "beacon")' },
    ["is recorded for another"] = { with_action { outcome = "already_active", recorded = false }, "restrict",
      "already being restricted", true, "; your incident is recorded nowhere" },
    ["has a comment that was cut"] = { with_action { comment_cut = true }, "restrict",
      "; the service cut the comment short", true },
    ["would be released and is not held"] = { with_action { outcome = "would_send", not_held = true }, "release",
      "desk-1.corp.example: not restricted, as far as the service's list of its actions goes back; nothing needs the "
      .. "release, and it would be sent all the same" },
    ["would be released and is held"] = { with_action { outcome = "would_send" }, "release", "would be released" },
    ["ended what others held"] = { with_action { also_ended = { "INC-2" }, incident = "INC-1" }, "release",
      "; it was held too by INC-2, which ends with it", true },
  } do
    it("is told in a sentence where it " .. what, function()
      local sentence = result.sentence(case[1], case[2], case[4])
      assert.truthy(sentence:find(case[3], 1, true), sentence)
      assert.truthy(sentence:find(case[5] or "", 1, true), sentence)
    end)
  end

  it("does not name as others those for whom it was released", function()
    local one = with_action { also_ended = { "inc-2" } }
    one.incidents = { "INC-1", "INC-2" }
    assert.is_nil(result.sentence(one, "release", true):find("held", 1, true))
  end)

  it("is told of a name, or of an id where two share one or it has no name", function()
    local seen = {}
    local one, third = with_action(), with_action { machineId = "1F17" }
    local other = with_action { machineId = "1F18", computerDnsName = "DESK-1.corp.example" }
    assert.equal("x", result.name(failed "refused"))
    assert.equal("desk-1", result.name(with_action { computerDnsName = "" }))
    for _, entry in ipairs { one, third } do result.note_name(entry, seen) end
    assert.equal("desk-1.corp.example", result.name(third))
    result.note_name(other, seen)
    assert.equal("desk-1.corp.example (1f17)", result.name(one))
    assert.equal("DESK-1.corp.example (1F18)", result.name(other))
  end)

  it("is told of the line of a list that named it", function()
    local one = failed "refused"
    assert.equal("why", result.complaint(one))
    one.where = "line 7 of FILE"
    assert.equal("line 7 of FILE: why", result.complaint(one))
  end)

  for outcome, one in pairs {
    accepted = with_action(), error = failed "refused", done = { device = "x", done = true },
    unknown = { device = "x", started = true }, not_started = { device = "x" },
  } do
    it("is a record whose outcome is " .. outcome, function()
      local record = result.record(one)
      assert.equal(outcome, record.outcome)
      assert.equal(one.device, record.device)
      assert.equal(one.err and one.err.kind, record.error and record.error.kind)
    end)
  end

  it("of several has the highest status, and that of an interruption", function()
    assert.equal(0, result.status({ {}, {} }, false))
    assert.equal(4, result.status({ {}, failed "auth", failed "pending", failed "refused" }, false))
    assert.equal(130, result.status({ failed "unknown" }, true))
  end)
end)
