-- A program that set a locale gets the same as one that did not: whether it sets it before it loads this library or
-- after, or changes it all the time, and whatever is a letter, comes first or stands in a number there.

local locales = require "tests.spec.support.locale.locales"
local script = require "tests.spec.support.process.script"
local shell = require "tests.spec.support.process.shell"

local PROGRAM = assert(shell.read_file "tests/spec/support/locale/in_locale.lua")

-- A client that takes two slots of a cap and of the limits that are kept in a file, at times with a fraction.
local SHARER = [[
assert(os.setlocale(arg[1]) == arg[1])
local rehearsal = require "tests.spec.support.rehearsal"
local r = rehearsal.new { tenant_id = "5e5e5e5e-0000-4000-8000-000000000001", latency = 0.37,
  machines = { { id = ("1"):rep(40) }, { id = ("2"):rep(40) }, { id = ("3"):rep(40) } },
  client = { cap = 2, store = arg[2], protect = { servers = false } } }
for _, digit in ipairs { arg[3], arg[4] } do
  local action, err = r.client:restrict(digit:rep(40), "why")
  io.write(action and action.outcome or err.rule or tostring(err), "\n")
end
io.write(("%d\n"):format(r.client:peek("restrict").remaining))
]]

-- lua-cjson ends the process where it is loaded, or asked for a codec, in a locale whose point has several bytes. There
-- Lua 5.3 and 5.4 cannot even read 1.5 in a program.
local LOADING = [[
assert(os.setlocale(arg[1]) == arg[1])
local ok, problem = pcall(require, "mde.base.json")
io.write(tostring(ok), " ", tostring(problem), "\n")
]]

local DECODING = [[
local json = require "mde.base.json"
assert(os.setlocale(arg[1]) == arg[1])
local ok, problem = pcall(json.encode, { a = 0.5 })
io.write(tostring(ok), " ", tostring(problem), "\n", tostring(select(2, json.decode "[0.5]")), "\n")
assert(os.setlocale "C")
io.write(json.encode { a = 0.5 }, "\n")
]]

describe("in a locale", function()
  local environment, path

  -- Its programs set locales of their own.
  setup(function() environment = { LOCPATH = locales.make(), MDE_LOG = "", MDE_TEST_LOCALE = "" } end)

  before_each(function()
    path = os.tmpname()
    os.remove(path)
  end)

  after_each(function() os.remove(path) end)

  local function run(program, ...)
    local output, status = script.run(program, { environment = environment, arguments = { ... } })
    assert.equal("exit 0", status, output)
    return output
  end

  describe("everything is as in C:", function()
    local in_c

    setup(function()
      path = os.tmpname()
      os.remove(path)
      in_c = run(PROGRAM, "C", "before", path)
      os.remove(path)
    end)

    it("where it is C that is set", function()
      for _, what in ipairs { "protected tags", "protected names", "protected device_values", "protected platforms",
        "protected servers", "protected cap", "| already_active", "lost | accepted | true", "wait | Succeeded",
        "T02%3A40%3A00.25Z", "decoded | 0.25 | 3 | 1500 | 0.5 | -0.001", '{"at":1700000000.25}' } do
        assert(in_c:find(what, 1, true), what)
      end
      for _, when in ipairs { "after", "changing" } do assert.equal(in_c, run(PROGRAM, "C", when, path .. when)) end
      for _, when in ipairs { "after", "changing" } do os.remove(path .. when) end
    end)

    for _, name in ipairs(locales.names) do
      for _, when in ipairs { "before", "after", "changing" } do
        it(("%s, set %s"):format(name, when), function() assert.equal(in_c, run(PROGRAM, name, when, path)) end)
      end
    end
  end)

  for _, name in ipairs(locales.names) do
    it(("%s a store is shared with processes in C"):format(name), function()
      for _, order in ipairs { { name, "C" }, { "C", name } } do
        local first, second = run(SHARER, order[1], path, "1", "1"), run(SHARER, order[2], path, "2", "3")
        assert.equal("accepted\nalready_active\n99\n", first)
        assert.equal("accepted\ncap\n98\n", second)
        os.remove(path)
      end
    end)
  end

  it("whose decimal point has several bytes, it is said that lua-cjson cannot be used", function()
    local output = run(LOADING, locales.wide)
    assert(output:find("^false lua%-cjson cannot be loaded in a locale whose decimal point has several bytes"), output)
    output = run(DECODING, locales.wide)
    local reason = "the locale's decimal point has several bytes, which lua-cjson cannot handle"
    assert.equal(("false %s\n%s\n%s\n"):format(reason, reason, '{"a":0.5}'), output)
  end)
end)
