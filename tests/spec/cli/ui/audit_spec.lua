-- audit: the file that --audit or MDE_AUDIT names.
-- Labels: not-lua5.3
local clients = require "mde.client"
local console = require "tests.spec.support.console"
local environment = require "tests.spec.support.environment"
local ocsf_fields = require "tests.spec.support.ocsf"
local playbooks = require "tests.spec.support.playbooks"
local rehearsal = require "tests.spec.support.rehearsal"
local shell = require "tests.spec.support.process.shell"

local cjson = require "cjson"

describe("--audit", function()
  local directory, path, r, stage

  before_each(function()
    directory = shell.new_directory()
    path = directory .. "/audit"
    r = rehearsal.new { limits = false, machines = {
      { computerDnsName = "desk-1.corp.example", osPlatform = "Windows11" },
      { computerDnsName = "srv-1.corp.example", osPlatform = "WindowsServer2019" } } }
  end)

  after_each(function()
    shell.remove(directory)
    if stage then stage.remove() end
    stage = nil
  end)

  -- Calls fn() where these variables are set, and no others.
  local function with(variables, fn)
    environment.set(variables)
    local ok, problem = pcall(fn)
    environment.restore()
    if not ok then error(problem, 0) end
  end

  -- A client of the tenant with what the command gives it.
  local function client_of(tenant, more)
    return function(options)
      local all = { driver = tenant:driver(), credential = tenant.client_secret, tenant_id = tenant.tenant_id,
        client_id = tenant.client_id, limits = false, on_event = options.on_event, cap = options.cap }
      for name, value in pairs(more or {}) do all[name] = value end
      return assert(clients.new(all))
    end
  end

  local function run(words, options)
    options = options or {}
    options.make_client = client_of(r.tenant, options.client)
    return console.run(words, options)
  end

  local function restrict(...) return run { "restrict", "--comment", "beacon", "--yes", ... } end

  local function events_of(text)
    local list = {}
    for line in text:gmatch "([^\n]*)\n" do list[#list + 1] = cjson.decode(line) end
    return list
  end

  local function events() return events_of(shell.read_file(path) or "") end

  local function outcomes()
    local list = {}
    for i, event in ipairs(events()) do
      assert.same({}, ocsf_fields.problems(event))
      list[i] = event.unmapped.mde.verb .. " " .. event.unmapped.mde.outcome
    end
    return list
  end

  it("has a line for each state change, for its owner alone", function()
    local told = restrict("desk-1", "srv-1", "nowhere", "--incident", "INC-1", "--wait", "1m", "--audit", path)
    assert.equal(2, told.status, told.err)
    local list = outcomes()
    table.sort(list)
    assert.same({ "restrict accepted", "restrict not_found", "restrict protected", "restrict succeeded" }, list)
    local by_outcome = {}
    for i, event in ipairs(events()) do
      assert.equal(i, event.metadata.sequence)
      assert.equal("INC-1", event.metadata.correlation_uid)
      by_outcome[event.unmapped.mde.outcome] = event
    end
    assert.equal("desk-1.corp.example", by_outcome.succeeded.device.hostname)
    assert.equal("nowhere", by_outcome.not_found.device.name)
    assert.equal("servers", by_outcome.protected.unmapped.mde.rule)
    assert.equal(by_outcome.accepted.command_uid, by_outcome.succeeded.command_uid)
    assert.equal("600\n", shell.output_of("stat -c %a " .. path))
    assert.falsy(shell.read_file(path):find(r.tenant.client_secret, 1, true))
  end)

  it("has a line for each device of a list that the cap leaves, though nothing is asked for it", function()
    local words = { "restrict", "--comment", "beacon", "--yes", "--cap", "1", "--audit", path }
    for i = 1, 4 do
      r.tenant:put_machine { computerDnsName = ("pc-%d.corp.example"):format(i), osPlatform = "Windows11" }
      words[#words + 1] = ("pc-%d"):format(i)
    end
    run(words)
    local list = outcomes()
    table.sort(list)
    assert.same({ "restrict accepted", "restrict cap", "restrict cap", "restrict cap" }, list)
  end)

  it("has a line for each device that is left by the plan, once somebody said yes, or where nothing is left to ask",
    function()
      local words = { "restrict", "desk-1", "srv-1", "nowhere", "--comment", "beacon", "--audit", path }
      run(words, { answers = { "n" } })
      assert.same({}, outcomes())
      run(words, { answers = { "y" } })
      local list = outcomes()
      table.sort(list)
      assert.same({ "restrict accepted", "restrict not_found", "restrict protected" }, list)
      os.remove(path)
      run({ "restrict", "srv-1", "--comment", "beacon", "--audit", path }, { answers = {} })
      run({ "restrict", "desk-1", "--comment", "beacon", "--audit", path }, { answers = {} })
      assert.same({ "restrict protected", "restrict already_active" }, outcomes())
    end)

  it("has one for what the full cap leaves nothing of", function()
    r.tenant:put_machine { computerDnsName = "pc-1.corp.example", osPlatform = "Windows11" }
    restrict("pc-1", "--audit", path, "--cap", "1")
    run({ "restrict", "desk-1", "--comment", "beacon", "--audit", path, "--cap", "1" }, { answers = {} })
    assert.same({ "restrict accepted", "restrict cap" }, outcomes())
  end)

  it("is there for release and cancel", function()
    restrict("desk-1", "--audit", path)
    run { "cancel", events()[1].unmapped.mde.action_id, "--comment", "wrong laptop", "--audit", path }
    run { "release", "desk-1", "--comment", "fine", "--yes", "--audit", path }
    assert.same({ "restrict accepted", "cancel succeeded", "release accepted" }, outcomes())
    local uids = {}
    for _, event in ipairs(events()) do
      assert.is_nil(uids[event.metadata.uid])
      uids[event.metadata.uid] = true
    end
  end)

  it("is named by MDE_AUDIT too, and by the option first", function()
    with({ MDE_AUDIT = path, LOGNAME = "alice" }, function()
      restrict "desk-1"
      assert.same({ "restrict accepted" }, outcomes())
      assert.equal("alice", events()[1].actor.user.name)
      restrict("desk-1", "--audit", path .. "2")
      assert.equal(1, #events())
      assert.matches("already_active", shell.read_file(path .. "2"))
    end)
  end)

  it("is passed over in a dry run, and where nothing is changed", function()
    with({ MDE_AUDIT = "/nowhere/audit" }, function()
      assert.equal(0, run({ "state", "desk-1" }).status)
      assert.equal(0, restrict("desk-1", "--dry-run").status)
    end)
  end)

  it("stops before anything is sent where it cannot be opened", function()
    os.execute(("touch %s/public; chmod 666 %s/public"):format(directory, directory))
    for place, reason in pairs { ["/nowhere/x"] = "No such file or directory", [""] = "--audit is empty",
      [directory .. "/public"] = "everybody on this machine may write it", ["-"] = "output has the results" } do
      local told = restrict("desk-1", "--audit=" .. place)
      assert.equal(1, told.status)
      assert.truthy(told.err:find(reason, 1, true), told.err)
      assert.equal(1, select(2, told.err:gsub("\n", "")))
      assert.same({}, r:requests())
    end
    with({ MDE_AUDIT = "-" }, function()
      assert.matches("MDE_AUDIT is %-", restrict("desk-1").err)
      assert.matches("MDE_AUDIT is %-", run({ "cancel", ("1"):rep(8) .. "-0000-4000-8000-000000000001", "--comment",
        "x" }).err)
    end)
  end)

  local function playbook(count)
    local file = directory .. "/contain.lua"
    shell.write_file(file, playbooks.restrict(count))
    return file
  end

  local function carry_out(words, options)
    stage = stage or playbooks.new { machines = playbooks.fleet(3), limits = false }
    options = options or {}
    options.make_client = client_of(stage.tenant, { cap = false, protect = { servers = false, device_values = {} } })
    return console.run(words, options)
  end

  it("of a run has what its record has, on standard output too", function()
    local record = directory .. "/run.db"
    local told = carry_out { "run", playbook(3), "--journal", record, "--yes", "--audit", "-" }
    assert.equal(0, told.status, told.err)
    local lines = {}
    for line in require("mde.run.audit").lines(assert(require("mde.journal").open(record))) do
      lines[#lines + 1] = line .. "\n"
    end
    assert.equal(3, #lines)
    assert.equal(table.concat(lines), told.out)
  end)

  it("says once that a line cannot be written; the run goes on, and its status is that of the run", function()
    local open = io.open
    io.open = function(name, mode) -- luacheck: ignore 122
      local file, problem = open(name, mode)
      if name ~= path or mode ~= "a" then return file, problem end
      return { setvbuf = function() end, write = function() return nil, "No space left on device" end }
    end
    local ok, told = pcall(carry_out, { "run", playbook(3), "--journal", directory .. "/run.db", "--yes", "--audit",
      path })
    io.open = open -- luacheck: ignore 122
    assert(ok, told)
    assert.equal(0, told.status, told.err)
    assert.equal(3, stage.posts())
    assert.equal(1, select(2, told.err:gsub("cannot be written: No space left on device; event %S+/1 is",
      "")))
  end)
end)
