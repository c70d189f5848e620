-- mde sim: what can be told without serving; tests/spec/sim/server_spec.lua serves.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local shell = require "tests.spec.support.process.shell"

describe("mde sim", function()
  local directory

  before_each(function() directory = shell.output_of "mktemp -d":gsub("%s+$", "") end)
  after_each(function() os.execute("rm -rf " .. shell.quote(directory)) end)

  local function sim(...) return console.run { "sim", "--dir", directory .. "/home", ... } end

  it("prints the environment that points a client at the tenant, which stays the same", function()
    local told = sim("--print-env", "--port", "9443")
    assert.equal(0, told.status, told.err)
    assert.matches("export AZURE_CLIENT_SECRET=", told.out)
    for _, name in ipairs { "MDE_BASE_URL", "MDE_GRAPH_URL" } do
      assert.matches(("export %s='?https://localhost:9443'?\n"):format(name), told.out)
    end
    assert.matches("export MDE_GRAPH_SCOPE='?https://graph.microsoft.com/.default'?\n", told.out)
    assert.equal(told.out, sim("--print-env", "--port", "9443").out)
  end)

  it("has the story happen, all of it or as the clock goes on", function()
    local mde_sim = require "mde.sim"
    local new, story = mde_sim.new, nil
    mde_sim.new = function(options)
      story = options.story
      return new(options)
    end
    local function story_of(...)
      local told = sim("--print-env", "--port", "9443", ...)
      assert.equal(0, told.status, told.err)
      return story
    end
    local ok, message = pcall(function()
      assert.same({}, story_of "--story")
      assert.same({ seed = 7 }, story_of("--seed", "7", "--story", "past"))
      assert.same({ begins = "0s ago" }, story_of("--story", "live"))
      assert.is_nil(story_of())
    end)
    mde_sim.new = new
    assert(ok, message)
  end)

  for what, case in pairs {
    ["a story that does not exist"] = { { "--story", "soon" }, "must be one of" },
    ["a fixture that is not there"] = { { "--fixture", "/nowhere/fixture.lua", "--print-env" }, "/nowhere/fixture" },
    ["a machine that is not there"] = { { "--offline", "nowhere", "--port", "0" }, "nowhere" },
    ["a role of another side"] = { { "--graph-role", "Machine.Scan" }, "there is no role 'Machine.Scan'" },
    ["what is not a port"] = { { "--port", "65536" }, "is not a port" },
    ["a way of tagging that does not exist"] = { { "--bulk-tags", "some" }, "must be one of" },
    ["a way of isolating that does not exist"] = { { "--repeated-isolation", "fails" }, "must be one of" },
    ["a form of a link that does not exist"] = { { "--package-uri", "bare" }, "must be one of" },
    ["a latency below 0"] = { { "--latency=-1" }, "is not a number of 0 or more" },
  } do
    it("is refused with " .. what, function()
      local told = sim((table.unpack or unpack)(case[1])) -- luacheck: ignore
      assert.equal(1, told.status)
      assert.truthy(told.err:find(case[2], 1, true), told.err)
    end)
  end
end)
