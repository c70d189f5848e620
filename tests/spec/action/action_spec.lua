-- What an action of the service's is to this library: whose it is, and what may be recorded with it.
-- Labels: sanitized

local core = require "mde.core"
local rehearsal = require "tests.spec.support.rehearsal"

local machine = "1f00000000000000000000000000000000000017"

local function suffix(operation_id, incident)
  return (" [mde:%s%s]"):format(incident and incident .. ":" or "", operation_id)
end

describe("an action", function()
  local r

  before_each(function() r = rehearsal.new { unguarded = true } end)

  describe("needs a comment:", function()
    local function check(wanted, comment)
      local err = rehearsal.refused(r.client.restrict, r.client, machine, comment)
      assert.truthy(tostring(err):find(wanted, 1, true), tostring(err))
      assert.is_true(rehearsal.is_one_line(tostring(err)))
      assert.same({}, r.tenant.history)
    end

    for what, case in pairs {
      ["none"] = { nil, "a comment is required" },
      ["a number"] = { 17, "must be a string, not a number" },
      ["an empty one"] = { "", "empty" },
      ["only white space"] = { " \t\r\n\194\160", "empty" },
      ["only a suffix of an earlier action"] = { " [mde:INC-1:abcdefgh]", "empty" },
      ["not UTF-8"] = { "caf\233", "UTF-8" },
      ["a surrogate"] = { "\237\160\128", "UTF-8" },
      ["a NUL"] = { "beacon\0", "NUL" },
      ["851 characters"] = { ("\226\130\172"):rep(851), "850" },
    } do
      it(what .. " is refused", function() check(case[2], case[1]) end)
    end

    it("850 characters of any length are enough", function()
      local comment = ("\240\159\148\146"):rep(850)
      local action = assert(r.client:restrict(machine, comment))
      assert.equal(comment .. suffix(action.operation_id), action.requestorComment)
    end)

    it("a suffix that it brings along is removed first", function()
      local action = assert(r.client:restrict(machine, "again [mde:INC-1:abcdefgh]", { incident = "INC-2" }))
      assert.equal("again" .. suffix(action.operation_id, "INC-2"), action.requestorComment)
    end)

    it("control characters and quotes arrive as they are", function()
      local action = assert(r.client:restrict(machine, 'two\nlines, "quotes" and \\'))
      assert.equal('two\nlines, "quotes" and \\' .. suffix(action.operation_id), action.requestorComment)
    end)
  end)

  it("that the service lists without a comment is no obstacle", function()
    r:past(machine, "restrict", "Pending", 10, { requestorComment = rehearsal.null, requestor = rehearsal.null })
    local action = assert(r.client:restrict(machine, "why"))
    assert.equal("already_active", action.outcome)
    assert.is_nil(action.operation_id)
  end)

  it("carries the id that the core finds in its comment", function()
    local action = assert(r.client:restrict(machine, "why", { incident = "INC-1" }))
    local text, incident, operation_id = core.comment.parse(action.requestorComment)
    assert.same({ "why", "INC-1", action.operation_id }, { text, incident, operation_id })
  end)
end)
