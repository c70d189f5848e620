-- What an action of the service's is to this library: whose it is, and what may be recorded with it.
-- Labels: sanitized

local actions = require "mde.action.action"
local core = require "mde.core"
local errors = require "mde.base.error"
local rehearsal = require "tests.spec.support.rehearsal"

local machine = "1f00000000000000000000000000000000000017"
local ID = "5a5a5a5a-0000-4000-8000-00000000005a"

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
      ["801 emoji"] = { ("\240\159\148\146"):rep(801), "1,600 UTF-16 units" },
      ["851 characters"] = { ("\226\130\172"):rep(851), "850" },
    } do
      it(what .. " is refused", function() check(case[2], case[1]) end)
    end

    it("850 characters are enough, or 800 of two UTF-16 units each", function()
      for _, comment in ipairs { ("\226\130\172"):rep(850), ("\240\159\148\146"):rep(800) } do
        r = rehearsal.new { unguarded = true }
        local action = assert(r.client:restrict(machine, comment))
        assert.equal(comment .. suffix(action.operation_id), action.requestorComment)
      end
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

describe("a row of the service", function()
  it("becomes an action, whose incident and operation id stand at the end of its comment", function()
    local metatable = {}
    local action = actions.adopt({ id = ID, requestorComment = "why [mde:INC-1:abcdefgh]" }, metatable)
    assert.equal(metatable, getmetatable(action))
    assert.same({ "INC-1", "abcdefgh" }, { action.incident, action.operation_id })
    action = actions.adopt({ id = ID, requestorComment = "why [mde:abcdefgh]" }, metatable)
    assert.same({ n = 2, nil, "abcdefgh" }, { n = 2, action.incident, action.operation_id })
  end)

  it("says nothing in our names, which only we tell", function()
    local action = actions.adopt({ id = ID, ["@odata.context"] = "x", outcome = "accepted", incident = "INC-9",
      operation_id = "theirs00", wait = "x", looked = true, recorded = false, status = "Pending" }, {},
      { looked = false })
    assert.same({ id = ID, status = "Pending", looked = false }, action)
  end)

  it("has texts where there are to be texts, or nothing", function()
    local row = { id = ID, type = 1, status = true, machineId = {}, requestorComment = 4711, requestor = { "x" },
      computerDnsName = 17, creationDateTimeUtc = 5 }
    assert.is_true(actions.mend(row))
    assert.same({ id = ID, requestorComment = "4711" }, row)
    row = { id = ID, type = "x", status = "y", machineId = "z", requestorComment = "" }
    actions.mend(row)
    assert.same({ id = ID, type = "x", status = "y", machineId = "z", requestorComment = "" }, row)
  end)

  it("is an action's answer only with an id and a status", function()
    assert.is_true(actions.is_action { id = ID, status = "Pending" })
    for _, answer in ipairs { { id = ID }, { status = "Pending" }, { id = 5, status = "Pending" },
      { id = ID, status = 5 } } do
      local ok, why = actions.is_action(answer)
      assert.is_false(ok)
      assert.is_string(why)
    end
  end)

  it("is the answer of the action that was asked for, whatever the case of its id", function()
    local is_it = actions.is_the_action(ID:upper())
    assert.is_true((is_it { id = ID, status = "Pending" }))
    assert.is_false((is_it { id = ID:gsub("5", "6"), status = "Pending" }))
    assert.is_false((is_it { id = ID }))
  end)
end)

describe("an action that is read again", function()
  local action

  before_each(function()
    action = { id = ID, type = "RestrictCodeExecution", machineId = machine, status = "Pending", outcome = "accepted",
      operation_id = "abcdefgh" }
  end)

  it("is brought up to date in what the service tells", function()
    assert.is_true(actions.update(action, { id = ID, status = "Succeeded", troubleshootInfo = "done",
      machineId = machine:upper(), outcome = "theirs", operation_id = "theirs00", ["@odata.context"] = "x" }))
    assert.same({ id = ID, type = "RestrictCodeExecution", machineId = machine:upper(), status = "Succeeded",
      troubleshootInfo = "done", outcome = "accepted", operation_id = "abcdefgh" }, action)
  end)

  for what, fresh in pairs {
    ["another machine"] = { status = "Succeeded", machineId = ("b"):rep(40) },
    ["another type"] = { status = "Succeeded", type = "UnrestrictCodeExecution" },
    ["a type that is no text"] = { status = "Succeeded", type = 17 },
  } do
    it("stays as it is where the answer is about " .. what, function()
      local updated, err = actions.update(action, fresh)
      assert.is_nil(updated)
      assert.equal("protocol", err.kind)
      assert.equal("Pending", action.status)
    end)
  end

  it("may be told without its machine and its type", function()
    assert.is_nil(actions.mismatch(action, { status = "Succeeded" }))
    assert.is_nil(actions.mismatch({ id = ID }, { machineId = machine, type = "RestrictCodeExecution" }))
  end)
end)

describe("what an awaited action came to", function()
  local function result(fields, problem)
    local action = { type = "RestrictCodeExecution", computerDnsName = "desk", machineId = machine }
    for name, value in pairs(fields) do action[name] = value end
    local value, err = actions.result(action, 90.5, problem)
    if err and not problem then assert.equal(action, err.action) end
    if err then assert.truthy(tostring(err):find("^wait for RestrictCodeExecution of desk: "), tostring(err)) end
    return value, err
  end

  local unavailable = errors.new { kind = "unavailable", code = "no_answer", message = "nobody answers" }

  it("is its success", function()
    assert.equal("Succeeded", (result { status = "Succeeded" }))
    assert.equal("Succeeded", (result({ status = "SUCCEEDED" }, unavailable)))
  end)

  for status, case in pairs {
    Pending = { "pending", "still Pending after 90.5 seconds" },
    InProgress = { "pending", "still InProgress" },
    Failed = { "failed", "ended as Failed: no disk" },
    TimeOut = { "failed", "ended as TimeOut" },
    Cancelled = { "cancelled", 'cancelled by somebody: ""' },
  } do
    it("is an error of kind " .. case[1] .. " where it is " .. status, function()
      local value, err = result { status = status, troubleshootInfo = "no disk" }
      assert.is_nil(value)
      assert.equal(case[1], err.kind)
      assert.truthy(err.message:find(case[2], 1, true), err.message)
    end)
  end

  it("says who cancelled it and why, on one line", function()
    local _, err = result { status = "Cancelled", cancellationRequestor = "a\27[2J", cancellationComment = "b\nc" }
    assert.truthy(err.message:find('cancelled by a\\x1b[2J: "b\\x0ac"', 1, true), err.message)
  end)

  it("is what it was read as last, where it could not be read for a while", function()
    for _, kind in ipairs { "unavailable", "throttled" } do
      local code = kind == "throttled" and kind or "no_answer"
      local _, err = result({ status = "Pending" }, errors.new { kind = kind, code = code, message = "nobody answers" })
      assert.equal("pending", err.kind)
      assert.truthy(err.message:find("(last read: nobody answers)", 1, true), err.message)
    end
    assert.equal("failed", select(2, result({ status = "Failed" }, unavailable)).kind)
  end)

  it("is the problem where that is here to stay, whatever it was read as last", function()
    for _, status in ipairs { "Pending", "Succeeded" } do
      local value, err = result({ status = status }, errors.new { kind = "permission", code = "permission_missing",
        message = "not for you" })
      assert.is_nil(value)
      assert.equal("permission", err.kind)
    end
  end)
end)

describe("an action's id", function()
  it("is that of a table, or the text itself", function()
    assert.equal(ID, actions.check_id({ id = ID }, "mde.cancel"))
    assert.equal(ID:upper(), actions.check_id(ID:upper(), "mde.cancel"))
  end)

  for what, value in pairs { ["nothing"] = false, ["a number"] = 17, ["an empty table"] = {}, ["a name"] = "desk",
    ["a machine's id"] = machine, ["a machine"] = { id = machine }, ["a path"] = "../" .. ID,
    ["an id and more"] = ID .. "\n" } do
    it("is not " .. what, function()
      local err = rehearsal.refused(actions.check_id, value or nil, "mde.cancel")
      assert.truthy(err.message:find("^mde.cancel: .* is not an action or an action's id"), err.message)
      assert.is_true(rehearsal.is_one_line(tostring(err)))
    end)
  end
end)
