-- response: the subcommands of the response actions, made from their rows.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local core = require "mde.core"
local json = require "mde.sim.base.json"
local rehearsal = require "tests.spec.support.rehearsal"
local words = require "mde.cli.batch.words"

local SHA1 = ("ab"):rep(20)

local function id(number) return ("%040x"):format(0xa0000 + number) end

-- What a subcommand needs beside a device.
local needed = { quarantine = { "--sha1", SHA1 } }

describe("the subcommand of a response action", function()
  local r

  before_each(function()
    local machines = {}
    for i = 1, 3 do machines[i] = { id = id(i), computerDnsName = ("desk-%d.corp.example"):format(i) } end
    machines[4] = { id = id(4), computerDnsName = "printer.corp.example", onboardingStatus = "CanBeOnboarded" }
    machines[5] = { id = id(5), computerDnsName = "dc-1.corp.example", osPlatform = "WindowsServer2022" }
    r = rehearsal.new { limits = false, machines = machines, roles = { "Machine.Read.All", "Machine.RestrictExecution",
      "Machine.Isolate", "Machine.Scan", "Machine.StopAndQuarantine", "Machine.CollectForensics" } }
  end)

  for verb, case in pairs {
    quarantine = { "sha1", SHA1 }, isolate = { "isolation_type", "Selective" }, scan = { "scan_type", "Quick" },
  } do
    it("mde " .. verb .. " names its " .. case[1] .. " beside the question, and in JSON", function()
      local name, value = case[1], case[2]
      local option = "--" .. name:gsub("_", "-")
      local arguments = { verb, "desk-1", "--comment", "beacon" }
      -- The default is named, too.
      if verb ~= "scan" then arguments[5], arguments[6] = option, value end
      local told = console.run(arguments, { client = r.client, answers = { "n" } })
      assert.truthy(told.err:find(("\nWith %s %s\n"):format(option, value), 1, true), told.err)
      for _, word in ipairs { "--dry-run", "--json" } do arguments[#arguments + 1] = word end
      told = console.run(arguments, { client = r.client })
      local row, plan = told.out:match "^([^\n]+)\n([^\n]+)\n$"
      assert.equal(value, assert(json.decode(row))[name])
      assert.equal(value, assert(json.decode(plan)).plan[name])
    end)
  end

  local function run(verb, options, ...)
    return console.run({ verb, "--comment", "beacon", "--yes", ... }, options or { client = r.client })
  end

  for _, verb in ipairs(words.verbs()) do
    local row = core.response_actions[verb]

    it("mde " .. verb .. " posts what the row says, and waits for its end", function()
      local device = row.is_unmanaged and "printer" or "desk-1"
      if row.opposite and not row.holds then
        local held = r.client[row.opposite](r.client, row.is_unmanaged and id(4) or device, "why")
        assert(held):wait { timeout = 3600 }
      end
      local arguments = { row.is_unmanaged and id(4) or device, "--incident", "INC-1", "--wait" }
      for _, word in ipairs(needed[verb] or {}) do arguments[#arguments + 1] = word end
      local told = run(verb, nil, (table.unpack or unpack)(arguments)) -- luacheck: ignore
      assert.equal(0, told.status, told.err)
      local posts = r:posts()
      assert.equal(row.path, posts[#posts])
      assert.matches(": " .. words.of(verb).noun .. " accepted", told.out)
      assert.matches(": Succeeded\n", told.out)
    end)

    it("mde " .. verb .. " says in its help what it needs and where it works", function()
      local help = console.run({ "help", verb }).out:gsub("%s+", " ")
      assert.truthy(help:find(row.summary, 1, true))
      if verb == "restrict" or verb == "release" then return end
      assert.truthy(help:find(row.permission, 1, true))
      assert.truthy(help:find(row.platforms, 1, true))
      for _, field in ipairs(row.fields) do
        if field.option then assert.truthy(help:find("--" .. field.option:gsub("_", "-"), 1, true)) end
      end
    end)
  end

  it("sends what its options say", function()
    assert.equal(0, run("isolate", nil, "desk-1", "--isolation-type", "Selective").status)
    assert.equal(0, run("scan", nil, "desk-2", "--scan-type=Full").status)
    local scopes = {}
    for action in r.client:actions "all" do scopes[action.type] = action.scope end
    assert.same({ Isolate = "Selective", RunAntiVirusScan = "Full" }, scopes)
  end)

  for what, case in pairs {
    ["another word"] = { "isolate", { "desk-1", "--isolation-type", "full" },
      "must be Full or Selective, not \"full\"" },
    ["no hash"] = { "quarantine", { "desk-1" }, "%-%-sha1" },
    ["a hash of another kind"] = { "quarantine", { "desk-1", "--sha1", ("a"):rep(64) }, "40 hexadecimal digits" },
    ["an option of another"] = { "scan", { "desk-1", "--isolation-type", "Full" }, "%-%-isolation%-type" },
    ["a cap where nothing is counted"] = { "scan", { "desk-1", "--cap", "3" }, "%-%-cap" },
    ["a guard rule where nothing is guarded"] = { "collect", { "desk-1", "--allow", "servers" }, "%-%-allow" },
  } do
    it("is refused with " .. what, function()
      local told = run(case[1], nil, (table.unpack or unpack)(case[2])) -- luacheck: ignore
      assert.equal(1, told.status, told.err)
      assert.matches(case[3], told.err)
      assert.same({}, r.tenant.history)
    end)
  end

  it("is guarded and capped as the row says", function()
    local told = run("isolate", nil, "dc-1")
    assert.equal(2, told.status)
    assert.matches("rule \"servers\"", told.err)
    assert.equal(0, run("isolate", nil, "dc-1", "--allow", "servers").status)
    assert.same({ isolate = 3 }, run("isolate", nil, "desk-1", "--cap", "3").client_options.cap)
    assert.is_nil(run("isolate", nil, "desk-1").client_options.cap)
    -- What takes it back takes these, too, so that both can be called alike; they change nothing.
    told = run("unisolate", nil, "dc-1", "--allow", "servers", "--cap", "3")
    assert.equal(0, told.status, told.err)
    assert.is_nil(told.client_options.cap)
  end)

  it("shows what it does and asks, and says where Selective is needed", function()
    local told = console.run({ "isolate", "desk-1", "--comment", "beacon" }, { client = r.client, answers = { "n" } })
    assert.equal(2, told.status)
    assert.matches("\nTo be cut off the network, but for the service:\n", "\n" .. told.err)
    assert.matches("may not come back from Full; for such a device give %-%-isolation%-type Selective", told.err)
    assert.matches("runs virtual machines takes them off the network with it", told.err)
    assert.matches("Isolate it%?", told.err)
    told = console.run({ "isolate", "desk-1", "--comment", "beacon", "--isolation-type", "Selective" },
      { client = r.client, answers = { "n" } })
    assert.not_matches("come back", told.err)
    assert.same({}, r:posts())
  end)

  it("says what is so already, and what would be so", function()
    assert.equal(0, run("isolate", nil, "desk-1", "--wait").status)
    assert.matches("^desk%-1%.corp%.example: already isolated %(action ", run("isolate", nil, "desk-1").out)
    assert.matches("^desk%-1%.corp%.example: would be released from isolation\n$",
      run("unisolate", nil, "desk-1", "--dry-run").out)
    local told = run("quarantine", nil, "desk-1", "--sha1", SHA1, "--dry-run")
    assert.matches("^desk%-1%.corp%.example: file would be quarantined\n$", told.out)
  end)

  it("waits for as long as it takes", function()
    assert.matches("alone is %-%-wait 6h", (console.run({ "help", "scan" }).out:gsub("%s+", " ")))
    assert.matches("alone is %-%-wait 10m", (console.run({ "help", "restrict" }).out:gsub("%s+", " ")))
  end)

  it("finds a device that is not onboarded by its name where it is for such, and only there", function()
    local told = console.run({ "contain", "printer", "--comment", "beacon" }, { client = r.client, answers = { "y" } })
    assert.equal(0, told.status, told.err)
    assert.matches("^printer%.corp%.example: containment accepted", told.out)
    told = run("contain", nil, "printer", "desk-1")
    assert.equal(2, told.status)
    assert.matches("printer%.corp%.example: already being contained", told.out)
    assert.matches("desk%-1.*is onboarded", told.err)
    assert.matches("not onboarded", run("isolate", nil, "printer", "desk-1").err)
    assert.same({ "isolate", "isolate" }, r:posts())
  end)

  it("counts each cap by itself", function()
    r = rehearsal.new { limits = false, machines = { { id = id(1), computerDnsName = "desk-1.corp.example" },
      { id = id(2), computerDnsName = "desk-2.corp.example" } }, client = { cap = { isolate = 1 } },
      roles = { "Machine.Read.All", "Machine.RestrictExecution", "Machine.Isolate" } }
    local told = run("isolate", nil, "desk-1", "desk-2", "--dry-run")
    assert.equal(2, told.status)
    assert.matches("\nThe cap of 1 isolate an hour lets 1 of these 2 through now", told.err)
    assert.equal(0, run("restrict", nil, "desk-1", "desk-2").status)
  end)
end)
