-- log: the file that --log names.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local json = require "mde.sim.base.json"
local log = require "mde.cli.batch.log"
local rehearsal = require "tests.spec.support.rehearsal"
local shell = require "tests.spec.support.process.shell"

describe("the log", function()
  local directory, path, r

  before_each(function()
    directory = shell.new_directory()
    path = directory .. "/log"
    r = rehearsal.new { limits = false, unguarded = true, machines = {
      { computerDnsName = "desk-1.corp.example" }, { computerDnsName = "desk-2.corp.example", offline = true } } }
  end)

  after_each(function() shell.remove(directory) end)

  local function restrict(...)
    return console.run({ "restrict", "--comment", "beacon", "--yes", ... }, { client = r.client })
  end

  local function rows()
    local list = {}
    for line in (shell.read_file(path) or ""):gmatch "([^\n]*)\n" do list[#list + 1] = assert(json.decode(line)) end
    return list
  end

  it("has a line for each device, with its time, and is its owner's alone", function()
    local told = restrict("desk-1", "nowhere", "--incident", "INC-1", "--log", path)
    assert.equal(2, told.status)
    local first, second = rows()[1], rows()[2]
    assert.equal(2, #rows())
    assert.same({ "restrict", "INC-1", "desk-1", "accepted", "desk-1.corp.example" },
      { first.verb, first.incident, first.device, first.outcome, first.computerDnsName })
    assert.equal(rehearsal.time(r.client:now()), first.time)
    assert.matches("^beacon %[mde:INC%-1:", first.action.requestorComment)
    assert.same({ "nowhere", "error", "not_found" }, { second.device, second.outcome, second.error.kind })
    assert.equal("600\n", shell.output_of("stat -c %a " .. path))
    assert.falsy(shell.read_file(path):find(r.tenant.client_secret, 1, true))
  end)

  it("says the scope or the file that was asked for, whatever came of it", function()
    r = rehearsal.new { limits = false, unguarded = true, machines = { { computerDnsName = "desk-1.corp.example" } },
      roles = { "Machine.ReadWrite.All", "Machine.Isolate", "Machine.Scan", "Machine.StopAndQuarantine" } }
    local file = ("a1"):rep(20)
    for _, words in ipairs { { "isolate" }, { "isolate", "--isolation-type", "Selective" }, { "scan" },
      { "quarantine", "--sha1", file } } do
      for _, word in ipairs { "desk-1", "nowhere", "--comment", "beacon", "--yes", "--log", path } do
        words[#words + 1] = word
      end
      console.run(words, { client = r.client })
    end
    local told = {}
    for i, row in ipairs(rows()) do
      told[i] = { row.verb, row.isolation_type or row.scan_type or row.sha1, row.outcome }
    end
    assert.same({ { "isolate", "Full", "accepted" }, { "isolate", "Full", "error" },
      { "isolate", "Selective", "error" }, { "isolate", "Selective", "error" }, { "scan", "Quick", "accepted" },
      { "scan", "Quick", "error" }, { "quarantine", file, "accepted" }, { "quarantine", file, "error" } }, told)
  end)

  it("is appended to", function()
    restrict("desk-1", "--log", path)
    restrict("desk-1", "--log", path, "--json")
    assert.same({ "accepted", "already_active" }, { rows()[1].outcome, rows()[2].outcome })
    assert.equal(2, #rows())
  end)

  it("begins a line of its own behind one that was cut short", function()
    shell.write_file(path, '{"device":"desk-')
    os.execute("chmod 600 " .. path)
    for _ = 1, 2 do restrict("desk-1", "--log", path) end
    local first, rest = shell.read_file(path):match "^([^\n]*)\n(.*)$"
    assert.equal('{"device":"desk-', first)
    assert.equal(2, select(2, rest:gsub("[^\n]+\n", "")))
    shell.write_file(path, rest)
    assert.same({ "accepted", "already_active" }, { rows()[1].outcome, rows()[2].outcome })
  end)

  it("has a second line of each when the waiting ended, in every format", function()
    for _, format in ipairs { "--json", "--csv", "--quiet" } do
      restrict("desk-1", "desk-2", "--wait", "1m", "--log", path, format)
      local list = rows()
      assert.equal(4, #list)
      assert.is_nil(list[1].waited)
      assert.equal("Succeeded", list[3].waited)
      assert.equal("pending", list[4].error.kind)
      os.remove(path)
    end
  end)

  it("has what was not begun", function()
    local words = { "release", "--comment", "x", "--yes", "--log", path }
    for i = 1, 20 do words[#words + 1] = ("device-%d"):format(i) end
    local told = console.run(words, { client = r.client,
      interruptions = function() return #r:requests() > 0 and 1 or 0 end })
    assert.equal(130, told.status)
    local list = rows()
    assert.equal(20, #list)
    assert.equal("not_started", list[20].outcome)
  end)

  it("is refused before anything is asked where it cannot be opened", function()
    os.execute(("ln -s nowhere %s/link; touch %s/public; chmod 666 %s/public"):format(directory, directory, directory))
    for place, reason in pairs { ["/nowhere/log"] = "No such file or directory", [directory] = "Is a directory",
      [directory .. "/link"] = "it is a symbolic link", [directory .. "/public"] = "everybody on this machine may",
      [""] = "--log is empty" } do
      local told = restrict("desk-1", "--log=" .. place)
      assert.equal(1, told.status)
      assert.truthy(told.err:find(reason, 1, true), told.err)
      assert.equal(1, select(2, told.err:gsub("\n", "")))
      assert.same({}, r:requests())
    end
  end)

  it("says once that it cannot be written, and goes on", function()
    local told = console.capture(function()
      local opened = log.open(path)
      opened.file = { append = function() return false, "No space left on device" end, close = function() end }
      local finished
      local tell = log.beside({ finish = function() finished = true end },
        { request = { log = opened, verb = "restrict", options = {} }, client = r.client })
      for i = 1, 2 do tell.show { device = "desk-" .. i, done = true } end
      tell.finish {}
      assert.is_true(finished)
      return log.status(opened)
    end)
    assert.equal(3, told.value)
    assert.equal(('mde: the log "%s" cannot be written: No space left on device; the results from "desk-1" on are not '
      .. "in it\n"):format(path), told.err)
    assert.equal(0, log.status(nil))
  end)
end)
