-- mde.core.outcome through the binding: how facts in a table reach the rules, which are tested in
-- tests/core/test_outcome.c.
-- Labels: sanitized-each-lua
local core = require "mde.core"

-- judge() with facts that leave time and attempts, changed by `facts`.
local function judge(kind, facts)
  local all = { attempt = 1, now = 1000, deadline = 1120, random = 0.5 }
  for name, value in pairs(facts) do all[name] = value end
  return core.outcome.judge(kind, all)
end

describe("mde.core.outcome", function()
  it("judges each kind of request by its own rules", function()
    local cases = {
      { "read", { status = 200, usable = true }, "done", 0, "definite" },
      { "read", { status = 200, usable = false }, "retry", 0.4, "unknown" },
      { "read", { status = 404 }, "refused", 0, "definite" },
      { "read", { status = 302 }, "refused", 0, "definite" },
      { "read", { status = 401 }, "authenticate", 0, "refused_unprocessed" },
      { "read", { status = 401, authentications = 1 }, "refused", 0, "definite" },
      { "token", { status = 401 }, "refused", 0, "definite" },
      { "token", { status = 503, retry_after = 8 }, "retry", 8.4, "unknown" },
      { "read", { status = 429, retry_after = 300 }, "throttled", 315, "refused_unprocessed" },
      { "read", { status = 429, retry_after_invalid = true }, "retry", 63, "refused_unprocessed" },
      { "read", { status = 500, attempt = 4 }, "exhausted", 0, "unknown", true },
      { "read", { status = 500, attempt = 1, attempts_allowed = 1 }, "exhausted", 0, "unknown", true },
      { "identity", { status = 410, attempt = 11 }, "retry", 8, "refused_unprocessed" },
      { "identity", { status = 410, attempt = 12 }, "exhausted", 0, "refused_unprocessed", true },
      { "read", { status = 500, attempt = 4, attempts_allowed = 5 }, "retry", 3.2, "unknown" },
      { "read", { status = 500, deadline = 1000.1 }, "exhausted", 0, "unknown" },
      { "read", { status = 500, deadline = math.huge }, "retry", 0.4, "unknown" },
      { "action", { status = 201, usable = true }, "done", 0, "definite" },
      { "action", { status = 201 }, "unknown", 0, "unknown" },
      { "action", { status = 503, retry_after = 3 }, "unknown", 0, "unknown" },
      { "action", { status = 429, retry_after = 8 }, "retry", 8.4, "refused_unprocessed" },
      { "action", { status = 400 }, "refused", 0, "definite" },
      { "action", { status = 400, said_code = "ActiveRequestAlreadyExists" }, "active", 0, "definite" },
      { "action", { status = 400, said = "Action is already in progress" }, "active", 0, "definite" },
      { "action", { status = 400, said_code = 400, said = {} }, "refused", 0, "definite" },
      { "action", { status = 409, said = "Action is already in progress" }, "refused", 0, "definite" },
      { "read", { status = 400, said = "Action is already in progress" }, "refused", 0, "definite" },
    }
    for i, case in ipairs(cases) do
      assert.same({ case[3], case[4], case[5], case[6] }, { judge(case[1], case[2]) }, "case " .. i)
    end
  end)

  it("believes that nothing was sent only if told false", function()
    assert.same({ "retry", 0.4, "not_sent" }, { judge("action", { maybe_sent = false }) })
    assert.same({ "unknown", 0, "unknown" }, { judge("action", { maybe_sent = true }) })
    assert.same({ "unknown", 0, "unknown" }, { judge("action", {}) })
    assert.same({ "unknown", 0, "unknown" }, { judge("action", { maybe_sent = "no" }) })
    assert.same({ "unknown", 0, "unknown" }, { judge("action", { maybe_sent = 0 }) })
    assert.same({ "unknown", 0, "unknown" }, { judge("action", { status = 500, maybe_sent = false }) })
  end)

  it("gives up at once what no repetition mends, by the driver's code", function()
    assert.same({ "exhausted", 0, "not_sent" }, { judge("action", { maybe_sent = false, code = "tls_untrusted" }) })
    assert.same({ "exhausted", 0, "not_sent" }, { judge("read", { maybe_sent = false, code = "proxy_auth" }) })
    assert.same({ "retry", 0.4, "not_sent" }, { judge("read", { maybe_sent = false, code = "resolve" }) })
    for _, code in ipairs { true, 17, {}, "" } do
      assert.same({ "retry", 0.4, "not_sent" }, { judge("read", { maybe_sent = false, code = code }) })
    end
  end)

  it("takes a status that is none for a broken answer", function()
    for _, status in ipairs { 0, -1, 99, 600, 1e300, -1e300, 200.5, math.huge } do
      assert.equal("unknown", (judge("action", { status = status, usable = true })), tostring(status))
      assert.equal("retry", (judge("read", { status = status, usable = true })), tostring(status))
    end
  end)

  it("raises on what only a programmer can get wrong, and names it", function()
    local cases = {
      { "kind", "write", {} },
      { "attempt", "read", { attempt = 0 } },
      { "attempt", "read", { attempt = 1.5 } },
      { "attempt", "read", { attempt = "1" } },
      { "attempt", "read", { attempt = 0 / 0 } },
      { "attempt", "read", { attempt = 1e12 } },
      { "attempts_allowed", "read", { attempts_allowed = 0 } },
      { "authentications", "read", { authentications = -1 } },
      { "now", "read", { now = false } },
      { "deadline", "read", { deadline = "soon" } },
      { "random", "read", { random = 1 } },
      { "random", "read", { random = -0.1 } },
      { "status", "read", { status = "200" } },
      { "retry_after", "read", { status = 429, retry_after = "3" } },
    }
    for i, case in ipairs(cases) do
      local ok, message = pcall(judge, case[2], case[3])
      assert.is_false(ok, "case " .. i)
      if case[1] ~= "kind" then
        assert.is_truthy(message:find("'" .. case[1] .. "'", 1, true), message)
      end
    end
    for _, name in ipairs { "attempt", "now", "deadline", "random" } do
      local facts = { attempt = 1, now = 1000, deadline = 1120, random = 0.5, status = 200, usable = true }
      assert.equal("done", (core.outcome.judge("read", facts)))
      facts[name] = nil
      assert.is_false(pcall(core.outcome.judge, "read", facts), name)
    end
  end)
end)
