-- problem: an error in the words of the command.
-- Labels: not-lua5.3
local errors = require "mde.base.error"
local mde = require "mde"
local problem = require "mde.cli.ui.problem"
local rehearsal = require "tests.spec.support.rehearsal"

describe("an error in the words of the command", function()
  -- What the library says to programs, as it says it now.
  local function error_of(fn, ...)
    local ok, value, err = pcall(fn, ...)
    return ok and err or value
  end

  for what, case in pairs {
    ["a rule"] = { function()
      local r = rehearsal.new { machines = { { id = ("a"):rep(40), osPlatform = "WindowsServer2022" } } }
      return r.client:restrict(("a"):rep(40), "why")
    end, "give --allow servers.", "allow =" },
    ["a cap"] = { function()
      local r = rehearsal.new { machines = {}, client = { cap = 0 } }
      return nil, r.client:cap().refusal
    end, "give --cap N, or --allow cap.", "allow =" },
    ["a cap that cannot be counted"] = { function()
      local r = rehearsal.new { machines = { { id = ("a"):rep(40) } } }
      r:answer({ path = "RestrictCode" }, 403, "{}", { count = false })
      return r.client:restrict(("a"):rep(40), "why")
    end, "for the device's group, too. To go on uncounted, give --allow cap.", "cap = false" },
    ["a span for a time"] = { function() return rehearsal.new().client:machines { lastSeen = mde.ge "2h" } end,
      "in quotes, 2h ago.", "os.date" },
    ["a value that there is not"] = { function() return rehearsal.new().client:machines { healthStatus = "Gone" } end,
      "--filter", "in a text" },
  } do
    it("says what to do about " .. what, function()
      local advice = problem.advice(error_of(case[1]))
      assert.truthy(advice:find(case[2], 1, true), advice)
      assert.falsy(advice:find(case[3], 1, true), advice)
    end)
  end

  it("names the options of the command", function()
    for text, options in pairs {
      ["--decided-at is 2020-"] = { decided_at = "2020-01-01" },
      ['--allow: there is no rule "server"'] = { allow = { "server" } },
      ["--decided-at needs a look: "] = { decided_at = "2026-02-03", look = false },
      ["Leave out --no-look, or --key."] = { key = "alert-4711", look = false },
    } do
      local said = problem.in_words(select(2, mde.check("restrict", "why", options)))
      assert.truthy(said:find(text, 1, true), said)
      assert.falsy(said:find("decided_at", 1, true) or said:find("look = ", 1, true), said)
    end
    local ok, err = pcall(rehearsal.new().client.restricted, rehearsal.new().client, { incident = "INC-1", since = 1 })
    assert.is_false(ok)
    assert.matches(": %-%-since: 1 looks like", problem.in_words(err))
  end)

  it("is the library's own where that is for everybody", function()
    local err = errors.new { kind = "not_found", code = "no_such_device", message = "no such device",
      hint = "Check the spelling." }
    assert.equal("no such device. Check the spelling.", problem.in_words(err))
    err.hint = nil
    assert.equal("no such device", problem.in_words(err))
    assert.equal("a text", problem.in_words "a text")
    local unknown = errors.new { kind = "unknown", code = "closed", message = "x", operation_id = "y",
      hint = "mde.find_action(err) asks again." }
    assert.equal("x. Do not repeat it blindly: mde state shows the outcome.", problem.in_words(unknown))
    assert.equal("mde.find_action(err) asks again.", unknown.hint)
  end)

  it("is a record, with what is known of it", function()
    local candidate = { id = "1", computerDnsName = "a", osPlatform = "Linux", riskScore = "High" }
    local action = { id = "action" }
    local err = errors.new { kind = "ambiguous", code = "several_devices", message = "two", hint = "Name one.",
      candidates = { candidate }, action = action, operation_id = "x", cause = "inside" }
    assert.same({ kind = "ambiguous", code = "several_devices", message = "two", hint = "Name one.",
      text = "two. Name one.", operation_id = "x", action = action,
      candidates = { { id = "1", computerDnsName = "a", osPlatform = "Linux" } } }, problem.record(err))
    assert.is_nil(problem.record(err, action).action)
    assert.same({ kind = "unknown", code = "unforeseen", message = "a text" }, problem.record "a text")
  end)
end)
