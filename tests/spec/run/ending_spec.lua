-- In which state a session leaves its run, and what of its record and its plan it did not come by.
local endings = require "mde.run.ending"
local errors = require "mde.base.error"

local function err_of(kind, more)
  local fields = { kind = kind, code = kind, message = "a message" }
  for name, value in pairs(more or {}) do fields[name] = value end
  return errors.new(fields)
end

-- The ending of a session with these steps and calls, of a plan that restricts a, b and c.
local function ending_of(told)
  local plan = { devices = {} }
  for i, id in ipairs { "a", "b", "c" } do
    plan.devices[i] = { id = id, name = "pc-" .. id, changes = { { verb = "restrict", decision = "restrict",
      incident = "inc-1" }, { verb = "isolate", decision = "isolate", incident = "inc-1", if_needed = true } } }
  end
  return endings.of({ stop = told.stop, entries = told.entries or {}, others = told.others or {},
    left = told.left or {}, recall = { steps = { all = told.steps or {} } } },
    plan, told.err)
end

local function step(device, more)
  local one = { device = device, verb = "restrict", outcome = "accepted", reached = true }
  for name, value in pairs(more or {}) do one[name] = value end
  return one
end

local function call(machine_id, err, name)
  return { machine_id = machine_id, verb = "restrict", err = err, name = name }
end

local all = { call "a", call "b", call "c" }

describe("the state in which a session leaves its run", function()
  for words, case in pairs {
    ["complete"] = { {}, "complete" },
    ["complete, though a recorded step was not reached"] = { { steps = { step("a", { reached = false }) } },
      "complete" },
    ["complete, though a rule left one"] = { { entries = { call("a", err_of "protected") } }, "complete" },
    ["what stopped it"] = { { stop = { state = "stopped", message = "asked" }, err = err_of "invalid" }, "stopped",
      "asked" },
    ["broken"] = { { err = err_of "invalid" }, "broken", "a message" },
    ["paused for an unknown outcome"] = { { steps = { step("a", { outcome = "unknown" }) } }, "paused",
      "the outcome of 1 sends is not known" },
    ["paused for a send without an answer"] = { { steps = { { device = "a", verb = "restrict" } } }, "paused",
      "the outcome of 1 sends is not known" },
    ["complete where the answer is known and not written"] = { { steps = { { device = "a", verb = "restrict",
      is_known = true, reached = true } } }, "complete" },
    ["paused for what was throttled"] = { { entries = { call("a", err_of "throttled") } }, "paused",
      "some devices are left, which the next session tries again" },
    ["paused where it is not known what came of a tag"] = { { others = { { line = "tag a", word = "unknown" },
      { line = "tag b", word = "unknown" }, { line = "tag a", word = "unknown" } } }, "paused",
      "it is not known what came of tag b and of 1 more" },
    ["complete where the tag was made since"] = { { others = { { line = "tag a", word = "unknown" },
      { line = "tag a", word = "done" } } }, "complete" },
    ["paused for a tag that was throttled"] = { { others = { { line = "tag a", word = "failed",
      err = err_of "throttled" } } }, "paused", "some changes are left, which the next session tries again" },
    ["paused for what was over the cap"] = { { entries = { call("a", err_of("protected", { rule = "cap" })) } },
      "paused", "some devices are left, which the next session tries again" },
  } do
    it("is " .. words, function()
      local ending = ending_of(case[1])
      assert.equal(case[2], ending.state)
      assert.equal(case[3], ending.why)
    end)
  end
end)

describe("what a session did not come by", function()
  local function names(told)
    local list = {}
    for i, one in ipairs(ending_of(told).not_called) do list[i] = one.name end
    return list
  end

  it("is of the record what was not reached, in any state", function()
    local left = step("b", { reached = false })
    assert.same({ left }, ending_of { steps = { step "a", left }, err = err_of "invalid" }.not_reached)
    assert.equal("pc-b", left.name)
    ending_of { steps = { left }, left = { b = "a person said no" } }
    assert.equal("a person said no", left.why_left)
  end)

  it("is of the service what has not ended", function()
    local pending, going = step "a", step("b", { status = "InProgress" })
    assert.same({ pending, going }, ending_of { steps = { pending, going, step("c", { status = "Succeeded" }),
      step("c", { status = "Failed" }), step("c", { outcome = "already_active" }) } }.pending)
  end)

  it("is of the plan what was not asked for, and neither done before nor only possible", function()
    assert.same({}, names { entries = all })
    assert.same({ "pc-b", "pc-c" }, names { entries = { call "a" } })
    assert.same({ "pc-c" }, names { entries = { call "a" }, steps = { step("b", { reached = false }) } })
    assert.same({ "pc-b" }, names { entries = { call "a", call(nil, err_of "not_found", '"pc-c"') } })
    assert.same({ machine_id = "b", verb = "restrict", incident = "inc-1", name = "pc-b" },
      ending_of { entries = { call "a", call "c" } }.not_called[1])
  end)

  it("is not told of the plan where the run goes on", function()
    assert.same({}, names { entries = { call "a" }, err = err_of "invalid" })
    assert.same({}, names { entries = { call("a", err_of "unavailable") } })
  end)

  it("is of a plan that goes on what the playbook did not come to", function()
    local ending = ending_of { entries = { call "a" }, err = err_of "invalid" }
    assert.same({ "pc-b", "pc-c" }, { ending.not_come_to[1].name, ending.not_come_to[2].name })
    assert.same({}, ending_of { entries = { call "a" } }.not_come_to)
  end)
end)
