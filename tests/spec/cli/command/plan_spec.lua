-- mde plan: the screen, the JSON object, the file, and the exit status.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local core = require "mde.core"
local json = require "mde.base.json"
local playbooks = require "tests.spec.support.playbooks"
local shell = require "tests.spec.support.process.shell"

describe("mde plan", function()
  local stage

  before_each(function()
    local machines = playbooks.fleet(30)
    machines[31] = { computerDnsName = "dc-1.corp.example", osPlatform = "WindowsServer2022", deviceValue = "High" }
    stage = playbooks.new { machines = machines, unguarded = false, client = { cap = 25 } }
  end)

  after_each(function() stage.remove() end)

  local function plan(text, ...)
    local path = stage.path "contain.lua"
    shell.write_file(path, text)
    return console.run({ "plan", path, ... }, { client = stage.client, columns = 100 })
  end

  it("shows how many, what stops them, who is left, and who comes when; and sends nothing", function()
    local told = plan(playbooks.restrict(30, [[
      mde.restrict("dc-1.corp.example", "beacon")
      mde.restrict("nobody.corp.example", "beacon")
      mde.release("pc-1.corp.example", "cleared")
    ]]))
    assert.equal(0, told.status, told.err)
    for _, words in ipairs { "Restrict 30 devices", "release 1", "lets 25 of these 30 through now",
      "1 protected by the rule device_values: dc-1.corp.example", '1 not found: "nobody.corp.example"',
      "Wave 1: 5 devices",
      "Wave 2: 25 devices", "To be released: 1 device", "Plan sha256:", "every wait taken to succeed" } do
      assert.truthy(told.err:find(words, 1, true), words .. "\n" .. told.err)
    end
    assert.equal(0, stage.posts())
  end)

  it("writes the same as one object of JSON", function()
    local told = plan(playbooks.restrict(3), "--json")
    assert.equal(0, told.status, told.err)
    local object = assert(json.decode(told.out))
    assert.equal("mde-plan-1", object.format)
    assert.matches("^sha256:%x+$", object.digest)
    assert.equal(3, object.counts.restrict)
    assert.equal(3, #object.devices)
    assert.equal("restrict", object.devices[1].decision)
    assert.equal("beacon", object.devices[1].reason)
    assert.is_nil(object.cap)
  end)

  it("names in its help what the JSON has", function()
    local told = plan(playbooks.restrict(30, [[
      mde.restrict("pc-30.corp.example", "beacon", { release_after = 28800 })
      mde.restrict("dc-1.corp.example", "beacon")
      mde.restrict("nobody.corp.example", "beacon")]]), "--json")
    local object = assert(json.decode(told.out))
    local help = console.run({ "help", "plan" }).out
    local names = {}
    for name in pairs(object) do names[name] = true end
    for _, device in ipairs(object.devices) do
      for name in pairs(device) do names[name] = true end
    end
    for name in pairs(names) do assert.truthy(help:find("%f[%w_]" .. name .. "%f[^%w_]"), name) end
    assert.truthy(names.release_after and names.caps and names.rule)
  end)

  it("exits with 6 where something would be sent, if that is asked", function()
    assert.equal(6, plan(playbooks.restrict(1), "--exit-code").status)
    assert.equal(0, plan("return", "--exit-code").status)
  end)

  it("keeps a plan in a file, which is not written over", function()
    local file = stage.path "kept.plan"
    local told = plan(playbooks.restrict(2), "-o", file)
    assert.equal(0, told.status, told.err)
    assert.matches("to carry it out: mde run", told.err)
    told = plan(playbooks.restrict(2), "-o", file)
    assert.equal(1, told.status)
    assert.matches("exists", told.err)
  end)

  describe("of a plan that was kept", function()
    local TEXT = playbooks.restrict(30, [[
      mde.restrict("dc-1.corp.example", "beacon")
      mde.restrict("nobody.corp.example", "beacon")
      mde.tag("pc-1.corp.example", "seen")]])

    -- What is shown of a plan, without what follows it.
    local function body(told) return (told.err:gsub("Note: the playbook was run with every wait.*$", "")) end

    local function keep()
      local file = stage.path "kept.plan"
      return plan(TEXT, "-o", file), file
    end

    local function again(...) return console.run({ "plan", ... }, { columns = 100 }) end

    it("shows it as it was shown, and asks nobody", function()
      local first, file = keep()
      local before = #stage.rehearsal:requests()
      stage.tenant:advance(600)
      local told = again(file)
      assert.equal(0, told.status, told.err)
      assert.equal(body(first), body(told))
      assert.matches("The cap of 25 restricts an hour lets 25 of these 30 through now; for all of them make a "
        .. "new plan with --cap restrict=30.", told.err:gsub("%s+", " "), 1, true)
      assert.matches("Plan sha256:", told.err, 1, true)
      assert.matches('Kept in "[^"]*kept.plan". It can be carried out until [%d-]+ [%d:]+ UTC, an hour after', told.err)
      assert.matches("It was not carried out.", told.err, 1, true)
      assert.equal(before, #stage.rehearsal:requests())
      assert.equal(6, again("--exit-code", file).status)
    end)

    it("writes it as the same object of JSON, and what has come of it", function()
      local file = stage.path "kept.plan"
      local first = assert(json.decode(plan(TEXT, "--json", "-o", file).out))
      local told = assert(json.decode(again("--json", file).out))
      assert.same({ file, "planned" }, { told.run, told.state })
      assert.equal(3600, core.timestamp.read(told.expires_at) - core.timestamp.read(told.made_at))
      assert.is_nil(told.used_at)
      told.run, told.state, told.expires_at = nil, nil, nil
      assert.same(first, told)
      local help = console.run({ "help", "plan" }).out
      for _, name in ipairs { "run", "state", "expires_at", "used_at" } do
        assert.truthy(help:find("%f[%w_]" .. name .. "%f[^%w_]"), name)
      end
    end)

    it("says that it was carried out, and has expired", function()
      stage.remove()
      stage = playbooks.new { machines = playbooks.fleet(30), start = 1770088500, client = { cap = 25 } }
      local _, file = keep()
      assert.matches("; that has passed", again(file).err, 1, true)
      assert.equal(4, console.run({ "run", "--yes", file }, { client = stage.client }).status)
      local told = again(file)
      assert.matches("It was carried out, from [%d-]+ [%d:]+ UTC on, and cannot be again; its run is paused", told.err)
      assert.matches("mde report ", told.err, 1, true)
      assert.is_string(assert(json.decode(again("--json", file).out)).used_at)
      assert.is_nil(told.err:find("can be carried out until", 1, true))
    end)

    it("takes no option that it fixes", function()
      local _, file = keep()
      for _, words in ipairs { { "--waves", "1,rest" }, { "--no-waves" }, { "--cap", "3" }, { "-o", "x" },
        { "INC-1" } } do
        local told = again(file, (table.unpack or unpack)(words)) -- luacheck: ignore 143 113
        assert.equal(1, told.status, words[1])
        assert.matches("is fixed by the plan that was kept", told.err, 1, true)
      end
    end)

    it("says what is no plan", function()
      local path = stage.path "other.plan"
      shell.write_file(path, "SQLite format 3\0 and no more")
      local told = again(path)
      assert.equal(1, told.status)
      assert.matches("other.plan", told.err, 1, true)
      assert.matches("there is no run", again("20260101T000000Z-0000").err, 1, true)
    end)
  end)

  it("says what is wrong with a playbook", function()
    for text, words in pairs { ["if"] = "is not Lua", ["error 'what'"] = "raised: .*what",
      ["os.exit(0)"] = "os%.exit" } do
      local told = plan(text)
      assert.equal(1, told.status)
      assert.matches(words, told.err)
    end
    assert.equal(1, console.run({ "plan", "/nowhere.lua" }, { client = stage.client }).status)
    local told = plan("return", "--waves", "5,none")
    assert.equal(1, told.status)
    assert.matches("waves", told.err)
    assert.equal(1, plan("return", "--gate", "succeeded=200%").status)
    assert.equal(1, plan("return", "--waves", "1,rest", "--no-waves").status)
  end)
end)
