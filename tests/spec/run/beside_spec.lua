-- Changes that are no response actions, in a run: none leaves after a stop, an indicator only if the plan shows it, and
-- what came of each stands in the record.
-- Labels: not-lua5.3
local playbooks = require "tests.spec.support.playbooks"
local runs = require "mde.run"
local watched_journal = require "tests.spec.support.watched_journal"

describe("what a run changes beside devices", function()
  local stage, asked

  before_each(function()
    stage = playbooks.new { machines = playbooks.fleet(2), limits = false,
      roles = { "Machine.Read.All", "Machine.ReadWrite.All", "Machine.RestrictExecution", "Ti.ReadWrite.All" } }
    asked = { value = "bad.example", action = "Block" }
    rawset(_G, "asked_of_playbook", asked)
  end)
  after_each(function()
    watched_journal.leave()
    stage.remove()
    rawset(_G, "asked_of_playbook", nil)
  end)

  local ADD = [[
    local mde, asked = require "mde", asked_of_playbook
    local fields = { indicatorValue = asked.value, indicatorType = "DomainName", action = asked.action, title = "t",
      description = "d", rbacGroupNames = asked.groups }
    asked.result, asked.err = mde.add_indicator(fields)
  ]]
  local LINE = "add_indicator bad.example: Block DomainName"

  local function count() return #stage.tenant.indicator_book:listed() end

  local function events(path, kind)
    local list = {}
    for _, one in ipairs(assert(runs.account(path)).events) do
      if one.kind == kind then list[#list + 1] = one.detail end
    end
    return list
  end

  local function sent(path)
    local list = {}
    for i, one in ipairs(assert(runs.account(path)).others_sent) do list[i] = one.line .. " = " .. one.word end
    return list
  end

  it("is sent as the plan shows it, what came of it is recorded, and an undo names it", function()
    local before = count()
    local plan = assert(stage.plan(ADD .. 'mde.tag("pc-1.corp.example", "seen")'))
    assert.same({ LINE, "tag pc-1.corp.example: seen" }, plan.others)
    local report, _, path = stage.start(plan)
    assert.equal("complete", report.state, report.why)
    assert.same({}, report.others)
    assert.equal(before + 1, count())
    assert.same({ "bad.example: Block DomainName" }, events(path, "add_indicator"))
    assert.equal(2, #events(path, "done"))
    assert.same({ LINE .. " = done", "tag pc-1.corp.example: seen = done" }, sent(path))
    local undo = assert(runs.plan_undo(stage.client, path, "wrong"))
    assert.same({ LINE, "tag pc-1.corp.example: seen" }, undo.undone.others)
  end)

  it("is bound by the digest where it blocks or allows", function()
    local seen = {}
    for _, change in ipairs { {}, { value = "evil.example" }, { action = "Allowed" }, { groups = { "a" } },
      { groups = { "b" } } } do
      asked.value, asked.action, asked.groups = change.value or "bad.example", change.action or "Block", change.groups
      local digest = assert(stage.plan(ADD)).digest
      assert.is_nil(seen[digest])
      seen[digest] = true
    end
  end)

  it("is refused where the plan shows another value, action or group", function()
    for _, change in ipairs { { value = "evil.example" }, { action = "Allowed" }, { groups = { "a" } } } do
      asked.value, asked.action, asked.groups = "bad.example", "Block", nil
      local before, plan = count(), assert(stage.plan(ADD))
      for name, value in pairs(change) do asked[name] = value end
      local report, _, path = stage.start(plan)
      assert.same({ "protected", "not_planned", "plan" }, { asked.err.kind, asked.err.code, asked.err.rule })
      assert.equal(before, count())
      assert.equal("not_planned", report.others[1].err.code)
      assert.equal(1, #events(path, "withheld"))
      assert.same({}, sent(path))
    end
  end)

  it("is refused one by one of a list", function()
    local list = ADD:gsub("mde.add_indicator%(fields%)", [[(function()
      local list = { fields }
      for i, value in ipairs(asked.more) do
        list[i + 1] = { indicatorValue = value, indicatorType = "DomainName", action = "Block", title = "t",
          description = "d" }
      end
      return mde.import_indicators(list)
    end)()]])
    asked.more = { "a.example", "b.example" }
    local before, plan = count(), assert(stage.plan(list))
    asked.more = { "c.example", "b.example" }
    local report, _, path = stage.start(plan)
    assert.equal(before + 2, count())
    assert.equal(1, asked.result.failed)
    assert.equal("not_planned", asked.result[2].err.code)
    assert.equal("b.example", asked.result[3].value.indicatorValue)
    assert.equal(1, #report.others)
    assert.same({ LINE .. " = done", "add_indicator b.example: Block DomainName = done" }, sent(path))
  end)

  it("stays where the plan does not show that it is deleted", function()
    stage.tenant.indicator_book:put({ indicatorValue = "x.example", indicatorType = "DomainName", action = "Block",
      title = "t", description = "d" }, "me")
    local before = count()
    local text = [[
      local mde, asked = require "mde", asked_of_playbook
      if asked.delete then asked.result, asked.err = mde.delete_indicator(asked.delete) end]]
    local plan = assert(stage.plan(text))
    asked.delete = stage.tenant.indicator_book:listed()[1].id
    assert(stage.start(plan))
    assert.equal("not_planned", asked.err.code)
    assert.equal(before, count())
  end)

  it("does not leave after a stop", function()
    local before = count()
    local plan = assert(stage.plan(ADD .. 'asked.tagged, asked.tag_err = mde.tag("pc-1.corp.example", "seen")'))
    local report, _, path = stage.start(plan, { until_time = 1 })
    assert.equal("stopped", report.state)
    assert.equal("run_stopped", asked.err.code)
    assert.equal("run_stopped", asked.tag_err.code)
    assert.equal(before, count())
    assert.same({}, sent(path))
    stage.renew()
    assert.equal("complete", assert(stage.resume(path)).state)
    assert.equal(before + 1, count())
  end)

  it("does not leave where it cannot be written down", function()
    local before, plan = count(), assert(stage.plan(ADD))
    watched_journal.watch(function(method, fields)
      if method == "event" and fields.kind == "add_indicator" then return "the disk is full" end
    end)
    local report = assert(stage.start(plan))
    assert.equal("journal_failed", asked.err.code)
    assert.equal(before, count())
    assert.equal("paused", report.state)
  end)

  it("is told as unknown where its answer is lost, and done by the next session", function()
    local plan = assert(stage.plan(ADD))
    stage.rehearsal:fault { match = { method = "POST", path = "indicators" }, fault = "gone" }
    stage.rehearsal:fault { match = { method = "POST", path = "indicators" }, fault = "gone" }
    local report, _, path = stage.start(plan)
    assert.equal("unknown", asked.err.kind)
    assert.equal("paused", report.state)
    assert.matches("not known what came of " .. LINE, report.why, 1, true)
    assert.same({ LINE .. " = unknown" }, sent(path))
    stage.tenant.faults:clear()
    stage.renew()
    report = assert(stage.resume(path))
    assert.equal("complete", report.state, report.why)
    assert.same({ LINE .. " = unknown", LINE .. " = done" }, sent(path))
  end)

  it("is not done again by the next session, since somebody may have deleted it", function()
    local plan = assert(stage.plan(ADD .. [[
      asked.results = mde.import_indicators { fields, { indicatorValue = "b.example", indicatorType = "DomainName",
        action = "Block", title = "t", description = "d" } }
      if asked.raises then error "boom" end]]))
    asked.raises = true
    local before = count()
    local report, _, path = stage.start(plan)
    assert.equal("broken", report.state)
    assert.equal(before + 2, count())
    local book = stage.tenant.indicator_book
    for _, row in ipairs(book:listed()) do
      if row.indicatorValue == "bad.example" then book:remove(row, "a colleague") end
    end
    assert.equal(before + 1, count())
    asked.raises, asked.result = nil, nil
    stage.renew()
    report = assert(stage.resume(path))
    assert.equal("complete", report.state, report.why)
    assert.equal(before + 1, count())
    assert.equal("would_add", asked.result.outcome)
    assert.same({ 0, "bad.example", "b.example" }, { asked.results.failed, asked.results[1].value.indicatorValue,
      asked.results[2].value.indicatorValue })
    assert.equal(3, #sent(path))
  end)

  it("is told as failed where the service says no", function()
    local plan = assert(stage.plan(ADD))
    stage.rehearsal:answer({ method = "POST", path = "indicators" }, 400, { error = { code = "BadRequest",
      message = "No." } }, { count = false })
    local report, _, path = stage.start(plan)
    assert.equal("complete", report.state)
    assert.equal("failed", report.others[1].word)
    assert.same({ LINE .. " = failed" }, sent(path))
    assert.matches("No%.", assert(runs.account(path)).others_sent[1].said)
    assert.same({}, assert(runs.plan_undo(stage.client, path, "wrong")).undone.others)
  end)
end)
