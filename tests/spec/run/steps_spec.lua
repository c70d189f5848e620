-- What a step is known by: what is done and to whom, and which time this is.
local steps_of = require "mde.run.steps"

local A, B = ("a"):rep(40), ("b"):rep(40)

local function step(fields)
  local own = { verb = "restrict", device = A, incident = "", key = "", occurrence = 1 }
  for name, value in pairs(fields) do own[name] = value end
  return own
end

describe("a step", function()
  it("is found by verb, machine and incident alone", function()
    local all = {}
    for _, verb in ipairs { "restrict", "release" } do
      for _, device in ipairs { A, B } do
        for _, incident in ipairs { "", "inc-1", "inc-2" } do
          all[#all + 1] = step { verb = verb, device = device, incident = incident }
        end
      end
    end
    local steps = steps_of.new(all)
    -- From the end, as tasks may come.
    for i = #all, 1, -1 do
      local own = all[i]
      assert.equal(own, steps:next(own.verb, own.device, own.incident, ""))
      steps:take(own)
      assert.is_nil(steps:next(own.verb, own.device, own.incident, ""))
    end
  end)

  it("is the nth where the same is asked for again", function()
    local first, second = step {}, step { occurrence = 2 }
    local steps = steps_of.new { first, second }
    assert.equal(first, steps:next("restrict", A, "", ""))
    assert.equal(first, steps:next("restrict", A, "", ""))
    steps:take(first)
    steps:take(first)
    assert.equal(second, steps:next("restrict", A, "", ""))
    steps:take(second)
    assert.is_nil(steps:next("restrict", A, "", ""))
    assert.equal(3, steps:occurrence("restrict", A, "", ""))
    assert.equal(1, steps:occurrence("release", A, "", ""))
  end)

  it("is one for all calls with the same key", function()
    local keyed = step { key = "alert-17" }
    local steps = steps_of.new { keyed, step {} }
    for _ = 1, 3 do
      assert.equal(keyed, steps:next("restrict", A, "", "alert-17"))
      steps:take(keyed)
    end
    assert.is_nil(steps:next("restrict", A, "", "alert-18"))
  end)

  it("is found by its action, in whatever case that is written", function()
    local first, second = step { action = "5382F7EA-7557-4AB7-9782-D50480024A4E" }, step { device = B }
    local steps = steps_of.new { first, second }
    assert.equal(first, steps:of_action "5382f7ea-7557-4ab7-9782-d50480024a4e")
    assert.is_nil(steps:of_action "other")
    steps:found(second, "Other")
    assert.equal(second, steps:of_action "other")
  end)

  it("is gone when it is dropped, and what follows moves up", function()
    local first, second, third = step {}, step { occurrence = 2 }, step { occurrence = 3 }
    local steps = steps_of.new { first, second, third }
    steps:take(first)
    steps:take(second)
    steps:drop(second)
    assert.same({ first, third }, steps.all)
    assert.equal(third, steps:next("restrict", A, "", ""))
    -- A new one never takes a number that is in use.
    assert.equal(4, steps:occurrence("restrict", A, "", ""))
    steps:drop(third)
    steps:drop(first)
    assert.equal(1, steps:occurrence("restrict", A, "", ""))
    assert.same({}, steps.all)
    steps:add(first)
  end)

  it("has an incident that is compared without case", function()
    assert.equal("inc-1", steps_of.incident_of "INC-1")
    assert.equal("", steps_of.incident_of(nil))
  end)

  it("is shown as the playbook spelled it, if that is the same one", function()
    assert.equal("INC-1", steps_of.spelled { incident = "inc-1", spelling = "INC-1" })
    for _, spelling in ipairs { "INC-2", 1, false } do
      assert.equal("inc-1", steps_of.spelled { incident = "inc-1", spelling = spelling })
    end
    assert.is_nil(steps_of.spelled { incident = "" })
  end)
end)
