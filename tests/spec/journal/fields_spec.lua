-- What is given to a journal: a wrong type or name raises, and nothing is written.
-- Labels: sanitized-each-lua
local journals = require "tests.spec.support.journals"
local shell = require "tests.spec.support.process.shell"

describe("what is given to a journal", function()
  local directory, file

  before_each(function()
    directory = shell.new_directory()
    file = journals.begun(directory .. "/run.db")
  end)
  after_each(function()
    file:close()
    shell.remove(directory)
  end)

  local function raised(work)
    local ok, message = pcall(work)
    assert.is_false(ok)
    return message
  end

  it("has the fields that are known", function()
    local message = raised(function() file:device { id = journals.device_id(2), nmae = "laptop" } end)
    assert.truthy(message:find "fields_spec.lua:%d+: unknown field 'nmae'$")
    raised(function() file:sending(journals.step { device = false }) end)
    raised(function() file:event { at = 1, kind = "x", [1] = "y" } end)
    raised(function() file:event { at = 1, kind = "x", [{}] = "y" } end)
    assert.equal(1, #journals.list(file:devices()))
    assert.same({}, journals.list(file:events()))
  end)

  it("has the types that are needed", function()
    local message = raised(function() file:device { id = 12 } end)
    assert.truthy(message:find "field 'id' must be a string, not number$")
    message = raised(function() file:event { at = "now", kind = "x" } end)
    assert.truthy(message:find "field 'at' must be a finite number, not string$")
    for _, wrong in ipairs { 1 / 0, -1 / 0, 0 / 0, true, {} } do
      raised(function() file:event { at = wrong, kind = "x" } end)
      raised(function() file:take(wrong) end)
    end
    for _, wrong in ipairs { 12, true, {} } do
      raised(function() file:asked(wrong, journals.device_id(1)) end)
      raised(function() file:set_plan(wrong) end)
      raised(function() file:set_state(wrong) end)
      raised(function() file:find_asked(wrong) end)
      raised(function() file:device { id = journals.device_id(2), name = wrong } end)
    end
    raised(function() file:status(1, "Pending", "now") end)
    raised(function() file:steps "some" end)
    raised(function() file:device "laptop" end)
    assert.same({}, journals.list(file:events()))
  end)

  it("is read without metamethods", function()
    local fields = setmetatable({}, { __index = function() error "asked" end })
    assert.equal("constraint", (select(3, file:device(fields))))
  end)

  it("may be left out where it may be absent", function()
    assert.is_true(file:set_state("paused"))
    assert.is_nil(file:run().why)
    assert.is_true(file:planned(journals.device_id(1), "restrict"))
    assert.is_true(file:is_planned(journals.device_id(1), "restrict", ""))
    assert.is_false(file:is_planned(journals.device_id(1), "restrict", "INC-1"))
  end)

  it("is a constraint where it must not be absent", function()
    for _, name in ipairs { "session", "operation", "comment", "arguments", "at" } do
      local step = journals.step()
      step[name] = nil
      local n, message, code = file:sending(step)
      assert.is_nil(n)
      assert.equal("constraint", code)
      assert.truthy(message:find("could not record what is being sent in the journal " .. directory, 1, true))
    end
    for _, name in ipairs { "device", "verb" } do
      local step = journals.step()
      step[name] = nil
      raised(function() file:sending(step) end)
    end
    assert.same({}, journals.list(file:steps()))
  end)
end)
