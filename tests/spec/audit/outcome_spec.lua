local outcomes = require "mde.audit.outcome"
local shell = require "tests.spec.support.process.shell"

-- What one line says stays so for years: status_id, status, severity_id.
local fixed = {
  accepted = { 99, "Accepted", 1 }, pending = { 99, "Accepted", 1 }, already_active = { 99, "Already Active", 1 },
  succeeded = { 1, "Success", 1 }, failed = { 2, "Failure", 3 }, timeout = { 2, "Failure", 3 },
  unknown = { 0, "Unknown", 4 }, superseded = { 99, "Superseded", 2 }, cancelled = { 99, "Cancelled", 2 },
  conflict = { 99, "Conflict", 2 }, protected = { 2, "Failure", 2 }, cap = { 2, "Failure", 2 },
  not_found = { 3, "Does Not Exist", 2 }, ambiguous = { 2, "Failure", 2 }, invalid = { 2, "Failure", 2 },
  refused = { 2, "Failure", 3 }, permission = { 2, "Failure", 3 }, auth = { 6, "Error", 3 },
  throttled = { 6, "Error", 3 }, unavailable = { 6, "Error", 3 }, protocol = { 6, "Error", 3 },
}

describe("an outcome", function()
  for name, case in pairs(fixed) do
    it("keeps its meaning: " .. name, function()
      local word = outcomes.words[name]
      assert.same(case, { word.status_id, word.status, word.severity_id })
      assert.equal(({ "Informational", "Low", "Medium", "High" })[case[3]], word.severity)
    end)
  end

  it("is one of these alone", function()
    for name in pairs(outcomes.words) do assert.truthy(fixed[name], name) end
  end)

  it("stands in the page with the same words", function()
    local page = shell.read_file "lua/mde/audit/audit.md"
    for name, case in pairs(fixed) do
      local row = ("| `%s` | %d `%s` | %d %s |"):format(name, case[1], case[2], case[3],
        outcomes.words[name].severity)
      assert.truthy(page:find(row, 1, true), row)
    end
  end)

  it("is that of an error's kind, and the cap has its own", function()
    for _, kind in ipairs { "auth", "permission", "not_found", "ambiguous", "invalid", "protected", "conflict",
      "throttled", "refused", "unavailable", "protocol", "unknown", "superseded", "failed", "pending", "cancelled" } do
      assert.equal(kind, outcomes.of_error { kind = kind })
    end
    assert.equal("cap", outcomes.of_error { kind = "protected", rule = "cap" })
    assert.equal("protected", outcomes.of_error { kind = "protected", rule = "servers" })
  end)

  it("of what is no error of ours is unknown", function()
    assert.equal("unknown", outcomes.of_error "out of memory")
    assert.equal("unknown", outcomes.of_error { kind = "of tomorrow" })
    assert.equal("unknown", outcomes.of_error(nil))
  end)
end)
