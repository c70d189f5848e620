-- A method that is called with a dot says that a colon belongs there.

local errors = require "mde.base.error"
local mde = require "mde"
local methods = require "mde.base.method"
local rehearsal = require "tests.spec.support.rehearsal"

describe("the methods of a class", function()
  local Class, object

  before_each(function()
    Class = { __name = "thing", __tostring = function() return "a thing" end, size = 17 }
    Class.__index = Class
    function Class:all(...) return self, select("#", ...), ... end
    methods.check_object(Class, "machine", Class, "mark")
    object = setmetatable({}, Class)
  end)

  it("get all that they are called with, and give all that they return", function()
    assert.same({ n = 6, object, 4, nil, 2, nil, nil },
      (function(...) return { n = select("#", ...), ... } end)(object:all(nil, 2, nil, nil)))
  end)

  it("take what stands for an object", function()
    local proxy = setmetatable({}, { __index = object })
    assert.equal(17, proxy.size)
    object.mark = true
    assert.equal(proxy, (proxy:all()))
    assert.equal("a plain one", (Class.all({ mark = 1, name = "a plain one" })).name)
  end)

  it("refuse anything else, and say what it is", function()
    for _, case in ipairs { { "why", '"why"' }, { 17, "17" }, { {}, "a table" }, { setmetatable({}, {}), "a table" },
      { print, "a function" }, { false, "false" }, { nil, "nil" } } do
      local err = rehearsal.refused(Class.all, case[1])
      assert.equal("called_with_dot", err.code)
      assert.equal(("machine.all was called with a dot, and its first argument is %s instead of the machine")
        :format(case[2]), err.message)
      assert.equal("Write a colon: machine:all(...).", err.hint)
    end
  end)

  it("are all that is changed", function()
    assert.equal("a thing", tostring(object))
    assert.equal(17, Class.size)
    assert.equal(Class, Class.__index)
  end)
end)

describe("a dot in the place of the colon", function()
  local r

  before_each(function() r = rehearsal.new { unguarded = true } end)

  -- What is raised, and nothing may have been asked of the service.
  local function explained(what, name, fn, ...)
    local before = #r.tenant.history
    local err = rehearsal.refused(fn, ...)
    assert.same({ "called_with_dot", ("Write a colon: %s:%s(...)."):format(what, name) }, { err.code, err.hint })
    assert.equal(before, #r.tenant.history)
  end

  it("is explained by each method of a client, whatever it is called with", function()
    local count = 0
    for name, method in pairs(getmetatable(r.client)) do
      if type(method) == "function" and name:sub(1, 2) ~= "__" then
        count = count + 1
        explained("client", name, r.client[name], "laptop-17", "why")
        explained("client", name, r.client[name], { "laptop-17" })
        explained("client", name, r.client[name])
      end
    end
    assert.is_true(count > 20)
    explained("client", "restrict", r.client.restrict, assert(r.client:machine "laptop-17"), "why")
  end)

  it("is explained by the methods of a machine and of an action", function()
    local machine = assert(r.client:machine "laptop-17")
    local action = assert(machine:restrict "why")
    for _, name in ipairs { "restrict", "release", "state", "has_tag" } do
      explained("machine", name, machine[name], "why")
      explained("machine", name, machine[name], { timeout = 1 })
      explained("machine", name, machine[name])
    end
    for _, name in ipairs { "wait", "cancel" } do
      explained("action", name, action[name], "why")
      explained("action", name, action[name], { timeout = 1 })
      explained("action", name, action[name])
    end
  end)

  it("does no harm to the functions of the module", function()
    assert.is_true(mde.check("restrict", "why"))
    assert.is_true(errors.is(rehearsal.refused(mde.client, 17)))
  end)
end)
