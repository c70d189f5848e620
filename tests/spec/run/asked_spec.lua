-- What a call asks beside what makes it the step it is: recorded, and told where it differs on a replay.
local asked = require "mde.run.asked"
local json = require "mde.base.json"
local playbooks = require "tests.spec.support.playbooks"

describe("a call", function()
  local function intent(more)
    local own = { comment = "beacon [mde:INC-1:0123456789abcdef]", allow = {}, look = true }
    for name, value in pairs(more or {}) do own[name] = value end
    return own
  end
  local function step(of, arguments)
    return { comment = of.comment, arguments = json.encode(arguments or { asked = asked.of(of) }) }
  end

  for words, case in pairs {
    ["the same"] = { {}, {}, nil },
    ["the same under another operation id"] = { {}, { comment = "beacon [mde:INC-1:fedcba9876543210]" }, nil },
    ["another comment"] = { {}, { comment = "C2\27 [mde:INC-1:0123456789abcdef]" },
      'the comment was "beacon" and is "C2\\x1b" now' },
    ["the same rules lifted"] = { { allow = { tags = true, servers = true } },
      { allow = { servers = true, tags = true } }, nil },
    ["another rule lifted"] = { {}, { allow = { tags = true, servers = true } },
      'allow was none and is "servers,tags" now' },
    ["a rule not lifted any more"] = { { allow = { tags = true } }, {}, 'allow was "tags" and is none now' },
    ["another time"] = { { timeout = 60 }, { timeout = 90.5 }, "timeout was 60 and is 90.5 now" },
    ["a time, and no look"] = { {}, { timeout = 60, look = false },
      "timeout was none and is 60 now, look was true and is false now" },
    ["another end"] = { { hold_seconds = 28800 }, { hold_seconds = 3600 },
      "release_after was 28800 and is 3600 now" },
    ["no end any more"] = { { hold_seconds = 28800 }, {}, "release_after was 28800 and is none now" },
    ["the same operations"] = { { operations = { "b-0", "a-0" } }, { operations = { "a-0", "b-0" } }, nil },
    ["other operations"] = { { operations = { "a-0" } }, { operations = { "a-0", "b-0" } },
      'operations was "a-0" and is "a-0,b-0" now' },
    ["all that has expired"] = { {}, { expired = true }, "expired was false and is true now" },
  } do
    it("differs by " .. words, function()
      assert.equal(case[3], asked.difference(step(intent(case[1])), intent(case[2])))
    end)
  end

  it("is compared by its comment alone where an older record says no more", function()
    local now = intent { timeout = 60, comment = "other" }
    assert.equal('the comment was "beacon" and is "other" now',
      asked.difference(step(intent(), { looked = true }), now))
    assert.is_nil(asked.difference({ arguments = "null" }, now))
    -- Those of before said nothing of the end.
    local before = step(intent(), { asked = { allow = "", look = true } })
    assert.is_nil(asked.difference(before, intent { hold_seconds = 60 }))
    assert.is_nil(asked.difference({ arguments = "{" }, now))
  end)
end)

describe("a run that is continued by calls that differ", function()
  local stage

  before_each(function() stage = playbooks.new { machines = playbooks.fleet(3), limits = false } end)
  after_each(function()
    stage.remove()
    rawset(_G, "options_in_spec", nil)
    rawset(_G, "fail_in_spec", nil)
  end)

  local TEXT = [[
    local mde = require "mde"
    local options = options_in_spec or {}
    for i = 1, 3 do
      for _ = 1, options.key and 2 or 1 do
        mde.restrict(("pc-%d.corp.example"):format(i), i == 2 and options.comment or "beacon",
          { key = options.key and options.key .. i, timeout = i == 3 and options.timeout or nil,
            release_after = i == 1 and options.release_after or nil })
      end
    end
    if fail_in_spec then error "later" end]]

  local function differs_in(path)
    local journal, list = assert(require("mde.journal").open(path)), {}
    for event in journal:events() do
      if event.kind == "differs" then list[#list + 1] = { event.step, event.detail } end
    end
    journal:close()
    return list
  end

  local function begun(options)
    rawset(_G, "options_in_spec", options)
    local plan = assert(stage.plan(TEXT))
    local report, _, path = stage.start(plan, { on_event = function() rawset(_G, "fail_in_spec", true) end })
    assert.equal("broken", report.state)
    assert.same({}, report.differing)
    return path
  end

  it("keeps what is recorded, and tells what differs, once in the record", function()
    local path = begun()
    rawset(_G, "options_in_spec", { comment = "other", timeout = 90 })
    for _, state in ipairs { "broken", "complete" } do
      rawset(_G, "fail_in_spec", state == "broken")
      local report = stage.resume(path)
      assert.equal(state, report.state, report.why)
      assert.same({ { machine_id = playbooks.id(2), verb = "restrict", name = "pc-2.corp.example",
        words = 'the comment was "beacon" and is "other" now' }, { machine_id = playbooks.id(3), verb = "restrict",
        name = "pc-3.corp.example", words = "timeout was none and is 90 now" } }, report.differing)
      assert.is_true(report.entries[2].replayed)
    end
    assert.same({ { 2, 'the comment was "beacon" and is "other" now' }, { 3, "timeout was none and is 90 now" } },
      differs_in(path))
    assert.equal(3, stage.posts())
  end)

  it("keeps the end that is recorded, and tells that another was asked for", function()
    local path = begun { release_after = "8h" }
    rawset(_G, "options_in_spec", { release_after = "1h" })
    rawset(_G, "fail_in_spec", nil)
    local report = stage.resume(path)
    assert.equal("complete", report.state, report.why)
    assert.equal(1, #report.differing)
    assert.equal("release_after was 28800 and is 3600 now", report.differing[1].words)
    assert.equal(3, stage.posts())
  end)

  it("tells it once of a step that several calls are", function()
    local path = begun { key = "alert-000" }
    rawset(_G, "options_in_spec", { key = "alert-000", comment = "other" })
    rawset(_G, "fail_in_spec", nil)
    local report = stage.resume(path)
    assert.equal(1, #report.differing)
    assert.equal(1, #differs_in(path))
  end)

  it("tells it of a step that was not answered, and sends what is recorded", function()
    local plan, path = assert(stage.plan(TEXT)), stage.path()
    stage.mortal(function(what, request)
      return what == "request" and request.method == "POST" and request.url:find(playbooks.id(2), 1, true) ~= nil
    end)
    pcall(require("mde.run").start, stage.client, plan, { record = path })
    stage.another()
    rawset(_G, "options_in_spec", { comment = "other" })
    local report = stage.resume(path)
    assert.equal("complete", report.state, report.why)
    assert.equal(1, #report.differing)
    for _, event in ipairs(stage.tenant.history) do
      if event.event == "action_created" then assert.matches("^beacon ", event.comment) end
    end
    assert.equal(3, stage.posts())
  end)
end)
