-- mde report: what is named, a run or an incident, and which options go with it.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local environment = require "tests.spec.support.environment"
local errors = require "mde.base.error"
local json = require "mde.base.json"
local ocsf = require "mde.audit.ocsf"
local playbooks = require "tests.spec.support.playbooks"
local recorded = require "tests.spec.support.recorded"
local shell = require "tests.spec.support.process.shell"

local ID = "20261129T025804Z-7f3a"

describe("mde report", function()
  local stage, path

  before_each(function()
    stage = playbooks.new { machines = playbooks.fleet(3), limits = false }
    path = stage.path "run.db"
  end)

  after_each(function() stage.remove() end)

  -- No environment describes a client.
  local function report(...)
    return console.run({ "report", ... }, { client_error = errors.new { kind = "invalid", code = "settings_missing",
      message = "no client is described" } })
  end

  local function report_with_client(...) return console.run({ "report", ... }, { client = stage.client }) end

  local function written(told)
    recorded.write(path, told or { devices = recorded.bad_night })
    return path
  end

  describe("of a run", function()
    it("asks no tenant, and needs no setting", function()
      local told = report(written())
      assert.equal(0, told.status, told.err)
      assert.is_nil(told.client_options)
      assert.matches("lost%.corp%.example\t", told.out)
      assert.matches("Run 20261130T025804Z%-7f3a", told.err)
    end)

    it("takes one by its id", function()
      environment.set { XDG_STATE_HOME = stage.directory }
      shell.output_of(("mkdir -p %s/mde/runs"):format(stage.directory))
      recorded.write(("%s/mde/runs/%s.db"):format(stage.directory, ID), { devices = recorded.bad_night,
        state = "stopped", run = { id = ID } })
      local told = report(ID)
      environment.restore()
      assert.equal(0, told.status, told.err)
      assert.truthy(told.err:find("mde resume " .. ID .. "\n", 1, true))
    end)

    it("is one object of JSON a line, or CSV", function()
      local first = report(written(), "--json").out:match "^[^\n]+"
      assert.equal("run", json.decode(first).type)
      assert.matches("^computerDnsName,", report(path, "--csv").out)
      assert.matches("^lost", report(path, "--csv", "--no-heading").out)
    end)

    it("is a page for its owner alone, which takes the place of none", function()
      local page = stage.path "page.html"
      local told = report(written(), "--html", page)
      assert.equal(0, told.status, told.err)
      assert.equal("", told.out)
      assert.matches("^<!DOCTYPE html>\n.*</html>\n$", shell.read_file(page))
      assert.matches("^%-rw%-%-%-%-%-%-%-", shell.output_of("ls -l " .. page))
      assert.truthy(told.err:find("The page is in " .. page, 1, true))
      shell.write_file(page, "mine")
      told = report(path, "--html", page)
      assert.equal(1, told.status)
      assert.matches("it is there already", told.err)
      assert.equal("mine", shell.read_file(page))
      assert.equal(1, report(path, "--html", "").status)
    end)

    it("is written into a file that has a name", function()
      written()
      for _, option in ipairs { "--html", "--copy" } do
        local told = report(path, option, "")
        assert.equal(1, told.status)
        assert.truthy(told.err:find(option .. " is empty; an empty shell variable?", 1, true))
        finally(function() os.remove "-" end)
        told = report(path, option, "-")
        assert.equal(1, told.status)
        assert.truthy(told.err:find(option .. " is -, and it is written into a file alone", 1, true))
        assert.is_nil(shell.read_file "-")
      end
    end)

    it("can be copied into one file that can be read elsewhere", function()
      local copy = stage.path "copy.db"
      local told = report(written { devices = recorded.bad_night, state = "running", open = true }, "--copy", copy)
      assert.equal(0, told.status, told.err)
      assert.equal("", told.out)
      assert.equal(#recorded.bad_night + 1, select(2, report(copy, "--csv").out:gsub("\n", "")))
      assert.equal(1, report(path, "--copy", copy).status)
    end)

    it("is its audit events again, byte for byte", function()
      local lines = {}
      local audited = playbooks.new { machines = playbooks.fleet(3), limits = false, client = {
        on_event = function(event)
          if event.event == "change" then lines[#lines + 1] = ocsf.line(event) .. "\n" end
        end } }
      local _, _, own = assert(audited.start(assert(audited.plan(playbooks.restrict(3)))))
      local told = report(own, "--ocsf")
      local refused = report(own, "--ocsf", "--csv")
      audited.remove()
      assert.equal(0, told.status, told.err)
      assert.is_true(#lines >= 3)
      assert.equal(table.concat(lines), told.out)
      assert.equal(1, refused.status)
    end)

    it("is compared with the service if that is asked, and says what differs", function()
      local _, _, own = assert(stage.start(assert(stage.plan(playbooks.restrict(3)))))
      local told = report_with_client(own, "--verify")
      assert.equal(0, told.status, told.err)
      assert.matches("Verified against the service at .*: 3 changes, and nothing differs", told.err)
      stage.client.exchange.sleep(3600)
      local page = stage.path "page.html"
      told = report_with_client(own, "--verify", "--html", page, "--json")
      assert.equal(2, told.status)
      assert.matches("3 changes, and 3 things differ from", told.err)
      assert.truthy(shell.read_file(page):find("3 things differ", 1, true))
      assert.equal(3, #json.decode(told.out:match "^[^\n]+").verification.differences)
    end)

    it("needs a client to be compared, and says if the service was not read to its end", function()
      local told = report(written(), "--verify")
      assert.equal(1, told.status)
      assert.matches("no client is described", told.err)
      told = console.run({ "report", path, "--verify" }, { client = stage.client,
        interruptions = function() return 1 end })
      assert.equal(130, told.status)
    end)

    it("stands by itself, and has no time since which it is told", function()
      written()
      for _, words in ipairs { { path, "INC-1" }, { "INC-1", path }, { path, path }, { path, "--since", "1h" } } do
        local told = report(words[1], words[2], words[3])
        assert.equal(1, told.status)
        assert.matches("run", told.err)
        assert.truthy(told.err:find("--incident", 1, true))
      end
    end)

    it("says that there is none where only a path can be meant", function()
      for _, name in ipairs { "./none", "/none", "none.db" } do
        local told = report(name)
        assert.equal(1, told.status)
        assert.matches("there is no run", told.err)
      end
    end)
  end)

  describe("of an incident", function()
    it("is told by the service", function()
      stage.client:restrict("pc-1.corp.example", "beacon", { incident = "INC-1" })
      local told = report_with_client "INC-1"
      assert.equal(0, told.status, told.err)
      assert.matches("INC%-1: 1 device", told.err)
    end)

    it("whose name looks like a run says that there is no such run either", function()
      environment.set { XDG_STATE_HOME = stage.directory }
      local told = report_with_client(ID)
      environment.restore()
      assert.equal(2, told.status)
      assert.truthy(told.err:find("Nor is there a run of that id", 1, true))
    end)

    it("is meant where it is said so, though a record is called like it", function()
      stage.client:restrict("pc-1.corp.example", "beacon", { incident = "INC-1" })
      local opened = io.open
      -- The record lies where the command was called.
      io.open = function(name, mode) -- luacheck: ignore 122
        return opened(name == "INC-1" and written() or name, mode)
      end
      local told = report_with_client("INC-1", "--incident")
      io.open = opened -- luacheck: ignore 122
      assert.equal(0, told.status, told.err)
      assert.matches("INC%-1: 1 device", told.err)
    end)

    it("has none of the options of a run", function()
      for _, words in ipairs { { "--verify" }, { "--html", "x" }, { "--copy", "x" } } do
        local told = report_with_client("INC-1", words[1], words[2])
        assert.equal(1, told.status)
        assert.truthy(told.err:find(words[1] .. " is for a run", 1, true))
      end
    end)
  end)

  it("of a file that is called like an incident says which of the two it is of", function()
    written()
    local told = shell.output_of(("cd %s && cp run.db INC-7 && %s -e %s 2>&1"):format(stage.directory,
      os.getenv "MDE_LUA" or "lua5.4", shell.quote(([[
        package.path, package.cpath = %q, %q
        os.exit(require("mde.cli").run { "report", "INC-7", "--csv" })]]):format(package.path, package.cpath))))
    assert.truthy(told:find("mde report --incident INC-7", 1, true), told)
  end)
end)
