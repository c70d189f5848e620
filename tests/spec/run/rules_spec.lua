-- What a user says of waves and gates, and what an error is to the rules that stop a run.
local errors = require "mde.base.error"
local rehearsal = require "tests.spec.support.rehearsal"
local rules = require "mde.run.rules"

local function err_of(fields)
  fields.message = fields.message or "a message"
  return errors.new(fields)
end

-- The stop after these have ended, and after how many.
local function stop_after(list, limits)
  local all = rules.new(limits)
  for i, one in ipairs(list) do
    local stop = all:note(one.machine or ("%040x"):format(i), one.action, one.err)
    if stop then return stop, i end
  end
end

local function times(count, one)
  local list = {}
  for i = 1, count do list[i] = one end
  return list
end

local done = { action = { outcome = "accepted" } }

describe("what is said of waves", function()
  it("is read, or is by how many there are", function()
    assert.same({ "rest" }, rules.sizes(nil, 25))
    assert.same({ 5, 45, "rest" }, rules.sizes(nil, 26))
    assert.same({ 1, 10, 100, "rest" }, rules.sizes("1,10,100,rest", 3))
    assert.same({ 3 }, rules.sizes("3", 100))
  end)

  for text, words in pairs {
    [""] = "nothing stands", ["1,,2"] = "nothing stands", ["five"] = "neither a number", ["0"] = "a wave of none",
    ["100001"] = "more than 100000", ["rest,5"] = "follows the rest", [("1,"):rep(17) .. "rest"] = "more than 16",
  } do
    it(("is refused: %q"):format(text), function()
      assert.matches(words, rehearsal.refused(rules.sizes, text, 1).message, 1, true)
    end)
  end

  it("is read of gates", function()
    assert.is_nil(rules.gate(nil))
    assert.is_not_nil(rules.gate "succeeded=60%,wait=2m")
    for text, words in pairs { ["success=1%"] = "neither succeeded=", ["wait=1m,wait=2m"] = "said twice",
      ["succeeded=101%"] = "whole number from 0", ["wait=soon"] = "not a time" } do
      assert.matches(words, rehearsal.refused(rules.gate, text).message, 1, true)
    end
  end)
end)

describe("a run stops", function()
  for words, case in pairs {
    ["at once when the role is missing"] = { rule = "role", after = 1,
      list = { { err = err_of { kind = "permission", code = "permission_missing", permission = "A.Role" } } } },
    ["at once when the sign-in is refused"] = { rule = "sign_in", after = 1,
      list = { { err = err_of { kind = "auth", code = "token_refused" } } } },
    ["at once when the proxy refuses"] = { rule = "proxy", after = 1,
      list = { { err = err_of { kind = "unavailable", code = "proxy_auth" } } } },
    ["at once when the cap is full"] = { rule = "cap", after = 1,
      list = { { err = err_of { kind = "protected", code = "cap_full", rule = "cap", retry_at = 1234 } } } },
    ["at once when the record cannot be written"] = { rule = "journal", after = 1,
      list = { { err = err_of { kind = "unavailable", code = "journal_failed" } } } },
    ["at once when the store fails"] = { rule = "store", after = 1,
      list = { { err = err_of { kind = "unavailable", code = "limits_unknown" } } } },
    ["when three in a row are forbidden"] = { rule = "forbidden_in_a_row", after = 3,
      list = times(9, { err = err_of { kind = "permission", code = "group_role_missing" } }) },
    ["when 20 in a row are unknown"] = { rule = "unknown_in_a_row", after = 20,
      list = times(99, { err = err_of { kind = "unknown", code = "no_answer" } }),
      limits = { unknown_percent = 100 } },
    ["when 20 in a row have no answer"] = { rule = "unknown_in_a_row", after = 20,
      list = times(99, { err = err_of { kind = "unavailable", code = "connect" } }) },
    ["when three were taken back"] = { rule = "superseded", after = 3,
      list = times(9, { err = err_of { kind = "superseded", code = "send_overtaken" } }) },
  } do
    it(words, function()
      local stop, after = stop_after(case.list, case.limits)
      assert.equal(case.rule, stop.rule)
      assert.equal(case.after, after)
      assert.equal((case.rule == "journal" or case.rule == "store") and "stopped" or "paused", stop.state)
      assert.is_true(rehearsal.is_one_line(stop.message))
      assert.equal(case.list[1].err.retry_at, stop.retry_at)
    end)
  end

  it("for outcomes that are unknown, which is said in plain words", function()
    local unknown = { err = err_of { kind = "unknown", code = "no_answer" } }
    assert.equal("20 outcomes in a row are unknown, or there was no answer",
      stop_after(times(99, unknown), { unknown_percent = 100 }).message)
    local list = {}
    for i = 1, 100 do list[i] = i % 5 == 0 and unknown or done end
    assert.equal("10 of the last 50 outcomes are unknown, or there was no answer", stop_after(list).message)
  end)

  it("when 20 % of the last 50 are unknown, whatever is between", function()
    local list = {}
    for i = 1, 100 do list[i] = i % 5 == 0 and { err = err_of { kind = "unknown", code = "no_answer" } } or done end
    local stop, after = stop_after(list)
    assert.equal("unknown_last", stop.rule)
    assert.equal(50, after)
    for i = 1, 100 do list[i] = i % 6 == 0 and { err = err_of { kind = "unknown", code = "no_answer" } } or done end
    assert.is_nil(stop_after(list))
  end)

  for words, one in pairs {
    ["protected"] = { err = err_of { kind = "protected", code = "machine_protected", rule = "tags" } },
    ["not in the plan"] = { err = err_of { kind = "protected", code = "not_planned", rule = "plan" } },
    ["not found"] = { err = err_of { kind = "not_found", code = "no_such_device" } },
    ["ambiguous"] = { err = err_of { kind = "ambiguous", code = "several_devices" } },
    ["in conflict"] = { err = err_of { kind = "conflict", code = "opposite_pending" } },
    ["busy"] = { err = err_of { kind = "unavailable", code = "machine_busy" } },
    ["raised"] = { err = "a text" },
    ["not begun"] = { err = err_of { kind = "unavailable", code = "run_stopped" } },
    ["done"] = done,
  } do
    it("never since devices are " .. words, function() assert.is_nil(stop_after(times(200, one))) end)
  end

  it("not where what comes too often is broken by a success", function()
    local list = {}
    for i = 1, 99 do
      list[i] = i % 3 == 0 and done or { err = err_of { kind = "permission", code = "group_role_missing" } }
    end
    assert.is_nil(stop_after(list))
    for i = 1, 99 do list[i] = i % 20 == 0 and done or { err = err_of { kind = "throttled", code = "throttled" } } end
    assert.is_nil(stop_after(list))
  end)
end)
