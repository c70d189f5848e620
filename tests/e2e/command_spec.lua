-- The command as a script runs it: a process of its own with its output piped, against a tenant over TLS. One
-- file, since each start of the tenant takes a second.
-- Labels: only-lua5.4, long
local commands = require "tests.spec.support.process.command"
local wait_until = require "tests.spec.support.process.wait_until"
local sim_json = require "mde.sim.base.json"

local LAPTOP_ID = "1f00000000000000000000000000000000000017"
local LAPTOP = "laptop-17.corp.example"
local HOSTILE = commands.HOSTILE

local has, has_not, lines_of = commands.has, commands.has_not, commands.lines_of
local scene = commands.scene()
local tenant, command, created, desks = scene.tenant, scene.command, scene.created, scene.desks

describe("mde, piped,", function()
  it("restricts a device, waits for it, tells its state and releases it", function()
    local result = command.run { "restrict", "laptop-17", "--comment", "beacon", "--incident", "INC-1", "--yes",
      "--wait" }
    assert.equal(0, result.status, result.err)
    local lines = lines_of(result.out)
    assert.equal(2, #lines)
    has(lines[1], LAPTOP .. ": restriction accepted (action " .. created()[1].action)
    assert.equal(LAPTOP .. ": Succeeded", lines[2])
    assert.equal("", result.err)

    result = command.run { "state", "laptop-17" }
    assert.equal(0, result.status)
    has(result.out, "laptop-17\trestricted\t" .. LAPTOP .. "\t" .. LAPTOP_ID)

    result = command.run { "restrict", "laptop-17", "--comment", "again", "--incident", "inc-1", "--yes" }
    assert.equal(0, result.status)
    has(result.out, LAPTOP .. ": already restricted")
    assert.equal(1, #created())

    result = command.run { "release", "laptop-17", "--comment", "cleared", "--yes", "--wait", "20s" }
    assert.equal(0, result.status)
    has(result.out, LAPTOP .. ": release accepted")
    has(command.run { "state", "laptop-17" }.out, "\treleased\t")
  end)

  for name, case in pairs {
    ["without --yes"] = { { "restrict", "laptop-17", "--comment", "beacon" }, "--yes" },
    ["without a comment"] = { { "restrict", "laptop-17", "--yes" }, "a comment is required" },
    ["with an empty comment"] = { { "restrict", "laptop-17", "--yes", "--comment", "" }, "the comment is empty" },
    ["with the list on standard input and without --yes"] =
      { { "restrict", "--list", "-", "--comment", "x" }, "--yes" },
    ["without a device"] = { { "restrict", "--comment", "x", "--yes" }, "no device is named" },
    ["with a device that is an unset variable"] = { { "restrict", "", "--comment", "x", "--yes" }, 'the device ""' },
    ["with an IP address"] = { { "restrict", "192.0.2.7", "--comment", "x", "--yes" }, "is an IP address" },
    ["with a rule that there is not"] =
      { { "restrict", "laptop-17", "--comment", "x", "--yes", "--allow", "server" }, 'Did you mean "servers"?' },
    ["with a time that has no unit"] =
      { { "restrict", "laptop-17", "--wait", "10", "--comment", "x", "--yes" }, "write --wait 10s" },
    ["with --all-of and a device"] =
      { { "release", "laptop-17", "--all-of", "INC-1", "--comment", "x", "--yes" }, "--all-of selects the devices" },
    ["with --all-of an unset variable"] =
      { { "release", "--all-of", "", "--comment", "x", "--yes" }, "not an incident" },
    ["with --since alone"] =
      { { "release", "laptop-17", "--since", "2h", "--comment", "x", "--yes" }, "--since belongs to --all-of" },
    ["with a file that is not there"] =
      { { "restrict", "--list", "/nowhere/list", "--comment", "x", "--yes" }, "the list cannot be read" },
    ["with a directory for a file"] =
      { { "restrict", "--list", "/", "--comment", "x", "--yes" }, "cannot be read" },
    ["with a misspelt command"] = { { "restrct", "laptop-17" }, "Did you mean 'restrict'?" },
    ["with a misspelt option"] = { { "restrict", "laptop-17", "--coment", "x" }, "Did you mean '--comment'?" },
    ["with no query"] = { { "machines" }, "nothing says which are meant" },
    ["with a filter that is an unset variable"] = { { "machines", "--filter", "" }, "--filter is empty" },
    ["with a list that is an unset variable"] =
      { { "restrict", "--list", "", "--comment", "x", "--yes" }, "--list is empty; an empty shell variable?" },
    ["with a report of an unset variable"] = { { "report", "" }, "not an incident" },
    ["with actions of an unset variable"] = { { "actions", "--incident", "" }, "not an incident" },
    ["with a span for a time"] = { { "machines", "lastSeen>=2h" }, "or, in quotes, 2h ago." },
    ["with a name for an id"] = { { "actions", "machineId=laptop-17" }, "mde machines computerDnsName=NAME" },
    ["with a status that there is not"] = { { "actions", "status=Pend" }, "asked for with --filter" },
    ["with all for --all"] = { { "machines", "ALL" }, "Did you mean --all?" },
    ["with a misspelt field"] = { { "machines", "riskscore=High" }, 'Did you mean "riskScore"?' },
    ["with a value that is an unset variable"] = { { "machines", "riskScore=" },
      "riskScore has no value; an empty shell variable?" },
    ["with an action that is none"] = { { "action", "laptop-17" }, "is not an action's id" },
    ["with a tag that is an unset variable"] = { { "tag", "laptop-17", "" }, "the tag is empty" },
  } do
    it("asks the service nothing " .. name, function()
      local result = command.run(case[1], { input = "laptop-17\n" })
      assert.equal(1, result.status, result.err)
      assert.equal("", result.out)
      has(result.err, case[2])
      has_not(result.err, "stack traceback")
      assert.equal(0, #tenant.history "request")
    end)
  end

  it("keeps its memory to itself", function()
    local process = command.start({ "restrict", "--list", "-", "--comment", "x", "--yes" },
      { input = "", endless = true })
    process.wait_until_it_reads()
    assert.matches("Max core file size%s+0%s+0%s", process.proc "limits")
    process.signal "TERM"
    process.finish()
  end)

  it("says what is missing in the environment", function()
    local result = command.run({ "state", "laptop-17" }, { environment = { AZURE_CLIENT_SECRET = "" } })
    assert.equal(1, result.status)
    has(result.err, "mde state: not set in the environment: AZURE_CLIENT_SECRET. Set what is missing. Instead of a "
      .. "secret there may be AZURE_CLIENT_CERTIFICATE_PATH")
    has_not(result.err, "mde.client")
  end)

  describe("tells by its status", function()
    local function status(arguments, options)
      return command.run(arguments, options).status
    end

    it("a sign-in that failed, which is tried once", function()
      desks(20)
      local result = command.run({ "restrict", "--list", "-", "--comment", "x", "--yes" },
        { input = table.concat(desks(20), "\n"), environment = { AZURE_CLIENT_SECRET = "not the right one" } })
      assert.equal(1, result.status)
      has(result.err, "not begun")
      assert.equal(1, #tenant.history "token_refused")
    end)

    it("what was refused: protected, unknown to the service, ambiguous", function()
      assert.equal(2, status { "restrict", "dc-01", "--comment", "x", "--yes" })
      assert.equal(2, status { "restrict", "nowhere", "--comment", "x", "--yes" })
      assert.equal(2, status { "restrict", "kiosk", "--comment", "x", "--yes" })
      assert.equal(0, #created())
      assert.equal(0, status { "restrict", "dc-01", "--comment", "x", "--yes", "--allow", "servers", "--allow",
        "device_values" })
    end)

    it("a service that cannot be reached", function()
      assert.equal(3, status({ "action", "5c1f9a52-0000-4000-8000-000000000001" },
        { environment = { MDE_BASE_URL = "https://localhost:1" } }))
    end)

    it("an action that failed, and one that is still pending", function()
      assert.equal(4, status { "restrict", "laptop-19", "--comment", "x", "--yes", "--wait" })
      assert.equal(4, status { "restrict", "laptop-18", "--comment", "x", "--yes", "--wait=1s" })
    end)

    it("whose outcome nobody knows, which is the highest of several", function()
      tenant.fault { match = { method = "POST", path = LAPTOP_ID }, fault = "gone" }
      -- Neither the list of all, after the first look at it, nor that of the device tells.
      for path, nth in pairs { ["UnrestrictCode"] = 2, ["machineactions?$filter=machineId"] = 1 } do
        tenant.fault { match = { path = path, method = "GET", nth = nth }, fault = "answer", status = 403,
          count = false }
      end
      local result = command.run { "restrict", "laptop-17", "nowhere", "--comment", "x", "--yes" }
      assert.equal(5, result.status, result.err)
      has(result.err, "mde state shows the outcome")
    end)

    it("a cap that is reached, and which are left", function()
      desks(3)
      local result = command.run { "restrict", "desk-001", "desk-002", "desk-003", "--cap", "2", "--comment", "x",
        "--yes" }
      assert.equal(2, result.status)
      has(result.err, "3 devices: 2 accepted, 1 over the cap.")
      assert.equal(2, #created())
    end)
  end)

  describe("reads a list", function()
    it("as it comes from Windows, with a heading, comments, blank lines and duplicates", function()
      desks(4)
      local path = command.file("list.csv", "\239\187\191# the first floor\r\nDeviceName,Owner\r\ndesk-001,\"A, B\"\r\n"
        .. "\r\n\"desk-002\",x\r\n  desk-003.corp.example  ,\r\nDESK-001,\r\ndesk-004,\tx")
      local result = command.run { "restrict", "--list", path, "--comment", "x", "--yes" }
      assert.equal(0, result.status, result.err)
      local lines = lines_of(result.out)
      assert.equal(4, #lines)
      for i = 1, 4 do has(lines[i], ("desk-00%d.corp.example: restriction accepted"):format(i)) end
      has(result.err, 'Note: the first line, "DeviceName", is a heading.')
      has(result.err, ('Note: "DESK-001" (line 7 of %s) is named more than once, first in line 3'):format(path))
      has(result.err, "4 devices: 4 accepted.")
      assert.equal(4, #created())
    end)

    it("without a line that can be no device, which is told", function()
      desks(2)
      local path = command.file("flawed.txt", "desk-001\n192.0.2.1\ndesk-002\n")
      local result = command.run { "restrict", "--list", path, "--comment", "x", "--yes" }
      assert.equal(2, result.status)
      assert.equal(2, #lines_of(result.out))
      has(result.err, ("mde: line 2 of %s: the device \"192.0.2.1\" is an IP address"):format(path))
      has(result.err, "3 devices: 2 accepted, 1 left.")
      assert.equal(2, #created())
    end)

    it("not at all if a line of it can be no device, where that is asked for", function()
      local path = command.file("bad.txt", "laptop-17\n192.0.2.1\nfine\nbell\7\n\"open\n")
      local result = command.run { "restrict", "--list", path, "--strict", "--comment", "x", "--yes" }
      assert.equal(1, result.status)
      has(result.err, ("line 2 of %s: the device \"192.0.2.1\" is an IP address"):format(path))
      has(result.err, ("line 4 of %s: the device \"bell\\x07\""):format(path))
      has(result.err, ("line 5 of %s, column 1: a quote is not closed"):format(path))
      assert.equal(1, #lines_of(result.err))
      assert.equal(0, #tenant.history "request")
    end)

    it("that a query wrote", function()
      desks(3)
      local found = command.run { "machines", "computerDnsName^=desk-0", "--csv" }
      assert.equal(0, found.status, found.err)
      local result = command.run({ "restrict", "-", "--comment", "x", "--yes" }, { input = found.out })
      assert.equal(0, result.status, result.err)
      has(result.err, "3 devices: 3 accepted.")
      local plain = command.run { "machines", "computerDnsName^=desk-0" }
      has(command.run({ "restrict", "-", "--comment", "x", "--yes" }, { input = plain.out }).err,
        "3 devices: 3 already active.")
      local bare = command.run { "machines", "computerDnsName^=desk-0", "--no-heading" }
      has(command.run({ "restrict", "-", "--column", "1", "--comment", "x", "--yes" }, { input = bare.out }).err,
        "3 devices: 3 already active.")
      local untold = command.run({ "restrict", "-", "--comment", "x", "--yes" }, { input = bare.out })
      assert.equal(1, untold.status)
      has(untold.err, "no heading that tells which one names a device")
    end)
  end)

  describe("shows", function()
    before_each(function()
      tenant.machine { id = ("%040x"):format(0xe0001), computerDnsName = HOSTILE,
        machineTags = { "=cmd|' /C calc'!A0", "\27[31mred" } }
    end)

    it("no name, tag or comment in a way that acts", function()
      tenant.action { machineId = ("%040x"):format(0xe0001), computerDnsName = HOSTILE, type = "RestrictCodeExecution",
        status = "Succeeded", requestor = "\27[1mroot", requestorComment = "first\nsecond\27[2J" }
      for _, arguments in ipairs {
        { "machines", "--all" }, { "machines", "--all", "--csv" }, { "machines", "--all", "--json" },
        { "actions", "--all" }, { "actions", "--all", "--csv" }, { "actions", "--all", "--json" },
        { "state", ("%040x"):format(0xe0001) }, { "restrict", ("%040x"):format(0xe0001), "--comment", "x", "--yes" },
        { "restrict", ("%040x"):format(0xe0001), "--comment", "x", "--yes", "--json" },
        { "action", tenant.history()[1].action },
      } do
        local result = command.run(arguments)
        assert.equal(0, result.status, result.err)
        has(result.out .. result.err, arguments[#arguments] == "--json" and "\\u001b" or "\\x1b")
        assert.falsy((result.out .. result.err):find "[%z\1-\8\11\12\14-\31\127]", table.concat(arguments, " "))
        has_not(result.out, "\194\155")
        has_not(result.out, "\226\128\174")
      end
    end)

    it("CSV that a spreadsheet does not run", function()
      local result = command.run { "machines", "computerDnsName*=evil", "--csv" }
      has(result.out, "id,computerDnsName,osPlatform,healthStatus,riskScore,lastSeen,machineTags,lastIpAddress\r\n")
      has(result.out, ",\"'=cmd|' /C calc'!A0, \\x1b[31mred\",")
    end)

    it("JSON that is JSON, one object a line, also of what failed", function()
      local result = command.run { "restrict", "laptop-17", "kiosk", "laptp-17", "--comment", "x", "--yes", "--json" }
      assert.equal(2, result.status)
      local rows = {}
      for i, line in ipairs(lines_of(result.out)) do rows[i] = assert(sim_json.decode(line)) end
      assert.equal(3, #rows)
      assert.equal("accepted", rows[1].outcome)
      assert.equal(created()[1].action, rows[1].action.id)
      assert.equal(LAPTOP_ID, rows[1].machine_id)
      assert.equal("ambiguous", rows[2].error.kind)
      assert.equal(2, #rows[2].error.candidates)
      assert.equal("laptp-17", rows[3].device)
      assert.equal("not_found", rows[3].error.kind)
      assert.equal(LAPTOP_ID, rows[3].error.candidates[1].id)
      assert.equal("Windows11", rows[3].error.candidates[1].osPlatform)
      for _, line in ipairs(lines_of(command.run { "machines", "riskScore=High", "--json" }.out)) do
        assert.equal("High", assert(sim_json.decode(line)).riskScore)
      end
    end)
  end)

  it("releases what an incident holds alone, and names what others hold too", function()
    local names = desks(4)
    local function restrict(incident, ...)
      local result = command.run { "restrict", "--comment", "x", "--yes", "--wait", "--incident", incident, ... }
      assert.equal(0, result.status, result.err)
    end
    restrict("INC-1", names[1], names[2])
    restrict("INC-10", names[2], names[3])
    local result = command.run { "release", "--all-of", "inc-1", "--since", "14h", "--comment", "false alarm", "--yes",
      "--wait" }
    assert.equal(0, result.status, result.err)
    has(result.out, names[1] .. ": release accepted")
    assert.equal(2, #lines_of(result.out))
    has(result.err, "Left restricted: " .. names[2] .. ", held too by INC-10.")
    local states = command.run { "state", names[1], names[2], names[3], names[4] }.out
    has(states, names[1] .. "\treleased\t")
    has(states, names[2] .. "\trestricted\t")
    has(states, names[3] .. "\trestricted\t")
    has(states, names[4] .. "\tnone\t")
    result = command.run { "release", "--all-of", "INC-7", "--comment", "x", "--yes" }
    assert.equal(2, result.status)
    has(result.err, "INC-7: no restriction or release names it.")
    has(result.err, "Nothing to release: INC-7 alone holds no device.")
  end)

  for _, hours in ipairs { -2, 2 } do
    it(("knows what --since means where the service is %d hours ahead of this machine"):format(hours), function()
      tenant.advance(hours * 3600)
      finally(function() tenant.advance(-hours * 3600 - 5400) end)
      local function restrict(incident)
        local words = { "restrict", "laptop-17", "--comment", "x", "--yes", "--wait", "--incident", incident }
        return command.run(words).status
      end
      local function release(incident)
        local result = command.run { "release", "--all-of", incident, "--since", "1h", "--comment", "x", "--yes" }
        assert.equal(0, result.status, result.err)
        return result
      end
      assert.equal(0, restrict "INC-8")
      has(release("INC-8").out, "release accepted")
      tenant.advance(60)
      assert.equal(0, restrict "INC-9")
      tenant.advance(5400)
      has(release("INC-9").err, "Nothing to release")
    end)
  end

  it("sends unseen what cannot be looked at, if it is told to", function()
    tenant.fault { match = { method = "GET", path = "/machineactions" }, fault = "answer", status = 403, count = false }
    local result = command.run { "release", "laptop-17", "--comment", "x", "--yes" }
    assert.equal(3, result.status)
    has(result.err, "history could not be read")
    has(result.err, "--no-look")
    result = command.run { "release", "laptop-17", "--comment", "x", "--yes", "--no-look" }
    assert.equal(0, result.status, result.err)
    has(result.out, "release accepted")
  end)

  it("refuses while the opposite is pending, and says how to cancel that", function()
    assert.equal(0, command.run { "release", "laptop-18", "--comment", "x", "--yes" }.status)
    local result = command.run { "restrict", "laptop-18", "--comment", "x", "--yes" }
    assert.equal(2, result.status)
    has(result.err, "give --cancel-opposite to cancel it")
    result = command.run { "restrict", "laptop-18", "--comment", "x", "--yes", "--cancel-opposite" }
    assert.equal(0, result.status, result.err)
    assert.equal(2, #created())
  end)

  it("says that its results cannot be written", function()
    local result = command.run({ "machines", "--all" }, { output = ">/dev/full" })
    assert.equal(3, result.status)
    assert.equal("mde: results cannot be written: No space left on device\n", result.err)
    result = command.run({ "restrict", "laptop-17", "--comment", "x", "--yes" }, { output = ">/dev/full" })
    assert.equal(3, result.status)
    has(result.err, "results cannot be written")
    assert.equal(1, #created())
    local id = created()[1].action
    for _, arguments in ipairs {
      { "state", "laptop-17" }, { "state", "laptop-17", "--csv" }, { "action", id }, { "action", id, "--json" },
      { "restrict", "laptop-17", "--comment", "x", "--yes", "--json" },
      { "release", "laptop-17", "--comment", "x", "--yes", "--csv" }, { "actions", "--all" }, { "completion", "bash" },
      { "report", "INC-FULL", "--csv" },
      { "--help" }, { "--version" }, { "restrict", "--help" }, { "sim", "-h" }, { "completion", "--help" },
      { "sim", "--print-env", "--dir", command.directory .. "/home" },
    } do
      for _, stream in ipairs { ">/dev/full", ">&-" } do
        result = command.run(arguments, { output = stream })
        local what = table.concat(arguments, " ") .. " " .. stream
        assert.equal(3, result.status, what .. ": " .. result.err)
        local _, count = result.err:gsub("results cannot be written", "")
        assert.equal(1, count, what)
      end
    end
  end)

  it("says in CSV too why a state is unknown", function()
    local result = command.run { "state", "laptop-17", "kiosk", "--csv" }
    assert.equal(2, result.status)
    local lines = lines_of(result.out)
    assert.truthy(lines[1]:find ",error,message$", lines[1])
    assert.truthy(lines[2]:find ",,$", lines[2])
    has(lines[3], ',ambiguous,"machine ""kiosk"": 2 devices answer to ""kiosk""')
    has(result.err, '2 devices answer to "kiosk"')
  end)

  it("tells two machines of one name apart", function()
    local ids = {}
    for i, name in ipairs { "twin.corp.example", "TWIN.corp.example" } do
      ids[i] = ("%040x"):format(0xf0000 + i)
      tenant.machine { id = ids[i], computerDnsName = name }
    end
    local result = command.run { "restrict", ids[1], ids[2], "--comment", "x", "--yes" }
    assert.equal(0, result.status, result.err)
    has(lines_of(result.out)[2], (" (%s): restriction accepted"):format(ids[2]))
  end)

  it("calls a machine without a name by what it was asked for", function()
    local id = ("%040x"):format(0xf0003)
    tenant.machine { id = id, computerDnsName = "" }
    local result = command.run { "restrict", id, "--comment", "x", "--yes" }
    assert.equal(0, result.status, result.err)
    has(result.out, id .. ": restriction accepted")
  end)

  it("says beforehand that the cap will be reached, and not of each device that it was", function()
    local names = desks(28)
    local function restrict(...)
      return command.run({ "restrict", "-", "--comment", "x", "--yes", ... }, { input = table.concat(names, "\n") })
    end
    local result = restrict("--cap", "20")
    assert.equal(2, result.status)
    has(result.err, "28 devices: at most 20 restricts an hour are sent; --cap raises that.")
    has(result.err, "If so many are meant, give --cap N, or --allow cap.")
    local _, count = result.err:gsub('rule "cap"', "")
    assert.equal(5, count)
    has(result.err, "and 3 more: rule cap")
    has_not(restrict("--allow", "cap").err, "at most")
  end)

  it("asks nothing more for the sake of what the cap refuses anyway", function()
    local names = desks(120)
    local result = command.run({ "restrict", "-", "--comment", "x", "--yes", "--cap", "2" },
      { input = table.concat(names, "\n") })
    assert.equal(2, result.status)
    has(result.err, "120 devices: at most 2 restricts an hour are sent; --cap raises that.")
    has(result.err, "120 devices: 2 accepted, 118 over the cap.")
    assert.equal(2, #created())
    assert.truthy(#tenant.history "request" < 60, #tenant.history "request" .. " requests")
  end)

  it("takes the settings of a profile, which the environment does not have", function()
    local env = tenant.env
    local secret = command.file("profile-secret", env.AZURE_CLIENT_SECRET .. "\n")
    os.execute("mkdir -p " .. command.directory .. "/mde; chmod 600 " .. secret)
    local lines = { "[lab]", "tenant_id = " .. env.AZURE_TENANT_ID, "client_id = " .. env.AZURE_CLIENT_ID,
      "authority = " .. env.AZURE_AUTHORITY_HOST, "base_url = " .. env.MDE_BASE_URL, "client_secret_file = " .. secret,
      "protect.names = laptop-18*" }
    command.file("mde/config", table.concat(lines, "\n"))
    local environment = { XDG_CONFIG_HOME = command.directory }
    for _, name in ipairs { "TENANT_ID", "CLIENT_ID", "CLIENT_SECRET", "AUTHORITY_HOST" } do
      environment["AZURE_" .. name] = ""
    end
    environment.MDE_BASE_URL = ""
    local words = { "restrict", "laptop-17", "laptop-18", "--comment", "x", "--dry-run" }
    local result = command.run(words, { environment = environment })
    assert.equal(1, result.status)
    has(result.err, "AZURE_TENANT_ID")
    environment.MDE_PROFILE = "lab"
    result = command.run(words, { environment = environment })
    assert.equal(2, result.status, result.err)
    has(result.err, "Profile lab: Tenant " .. env.AZURE_TENANT_ID)
    has(result.err, 'rule "names"')
    has(result.out, "laptop-17.corp.example: would be restricted")
    words[#words + 1] = "--profile=nobody"
    result = command.run(words, { environment = environment })
    assert.equal(1, result.status)
    has(result.err, 'has no profile "nobody". There are lab.')
  end)

  it("says beforehand how long a long list takes", function()
    local names = {}
    for i = 1, 5000 do names[i] = ("seat-%d"):format(i) end
    local list = command.file("long", table.concat(names, "\n"))
    local environment = { AZURE_CLIENT_SECRET = "not the right one" }
    local limits = "5,000 devices: the service takes 100 calls a minute and 1,500 an hour, so "
    for what, arguments in pairs {
      ["restricting them"] = { "restrict", "--list", list, "--comment", "x", "--yes", "--allow", "cap" },
      ["releasing them"] = { "release", "--list", list, "--comment", "x", "--yes" },
      ["tagging them"] = { "tag", "--list", list, "x" },
    } do
      local result = command.run(arguments, { environment = environment })
      assert.equal(1, result.status)
      assert.equal(limits .. what .. " takes at least 3 h 4 min.", lines_of(result.err)[1])
    end
    -- Many are looked up together.
    has_not(command.run({ "state", "--list", list }, { environment = environment }).err, "the service takes")
    local capped = command.run({ "restrict", "--list", list, "--comment", "x", "--yes", "--cap", "400" },
      { environment = environment })
    has(capped.err, "5,000 devices: at most 400 restricts an hour are sent; --cap raises that; the service takes "
      .. "100 calls a minute and 1,500 an hour, so restricting those takes at least 3 min.\n")
  end)

  it("names the incidents that a release ends beside its own", function()
    local function hold()
      tenant.reset()
      for _, incident in ipairs { "INC-1", "INC-2" } do
        local result = command.run { "restrict", "laptop-17", "--comment", "x", "--yes", "--wait",
          "--incident", incident }
        assert.equal(0, result.status, result.err)
      end
    end
    local function release(...)
      hold()
      local result = command.run { "release", "laptop-17", "--comment", "x", "--yes", "--incident", "inc-1", ... }
      assert.equal(0, result.status, result.err)
      return result.out
    end
    has(release(), "; it was held too by INC-2, which ends with it\n")
    assert.same({ "INC-2" }, assert(sim_json.decode(release "--json")).action.also_ended)
    has(release "--csv", ',"it was held too by INC-2, which ends with it"')
    hold()
    has_not(command.run { "release", "--all-of", "INC-1", "--all-of", "INC-2", "--comment", "x", "--yes" }.out, "held")
  end)

  it("shows no secret, in its trace either", function()
    local result = command.run({ "restrict", "laptop-17", "--comment", "x", "--yes" },
      { environment = { MDE_LOG = "json" } })
    assert.equal(0, result.status)
    has(result.err, "client_secret=[redacted]")
    has_not(result.out .. result.err, tenant.client_secret)
  end)

  it("shows and cancels an action", function()
    command.run { "restrict", "laptop-18", "--comment", "x", "--yes" }
    local id = created()[1].action
    local result = command.run { "action", id }
    assert.equal(0, result.status)
    has(result.out, "status                 Pending\n")
    has(command.run { "actions", "status=Pending" }.out, id)
    result = command.run { "cancel", id, "--comment", "wrong laptop" }
    assert.equal(0, result.status, result.err)
    has(result.out, "Cancelled")
    has(result.out, "wrong laptop")
    assert.equal(2, command.run { "action", "5c1f9a52-0000-4000-8000-00000000dead" }.status)
  end)

  it("tags and untags, with the permission for it", function()
    local refused = command.run { "tag", "laptop-17", "x" }
    assert.equal(2, refused.status)
    has(refused.err, "Machine.ReadWrite.All")
    local client_id = "7a6a1c5e-0000-4000-8000-000000000001"
    tenant.application { client_id = client_id, client_secret = tenant.client_secret, name = "tagger",
      roles = { "Machine.ReadWrite.All" } }
    local environment = { AZURE_CLIENT_ID = client_id }
    local function as_tagger(arguments) return command.run(arguments, { environment = environment }) end
    local result = as_tagger { "tag", "laptop-17", "nowhere", "left for review" }
    assert.equal(2, result.status)
    assert.equal(LAPTOP .. ': tagged "left for review"\n', result.out)
    has(result.err, "2 devices: 1 tagged, 1 left.")
    has(as_tagger { "machines", "machineTags=left for review" }.out, LAPTOP)
    assert.equal(0, as_tagger { "untag", "laptop-17", "left for review" }.status)
    local after = as_tagger { "machines", "machineTags=left for review" }
    assert.equal("", after.out)
    assert.equal("Nothing was found.\n", after.err)
  end)

  it("lists to a reader who has soon had enough", function()
    for _, format in ipairs { "--json", "--csv" } do
      local result = command.run({ "machines", "--all", format }, { output = "| head -n 1 >/dev/null" })
      assert.equal("", result.err)
    end
  end)

  it("finishes what is in flight when its reader goes, and begins no more", function()
    local names = desks(60)
    local place = command.directory .. "/gone"
    local script = ("{ . %s/env; lua5.4 lua/mde/cli/mde.lua restrict --list %s --comment x --yes --cap 100 2>%s.err; "
      .. "echo $? >%s.status; } | head -n 1 >%s.out"):format(command.directory,
      command.file("sixty", table.concat(names, "\n")), place, place, place)
    os.execute(script)
    local function read(name)
      local file = assert(io.open(place .. name))
      local text = file:read "*a"
      file:close()
      return text
    end
    has(read ".out", names[1] .. ": restriction accepted")
    local remarks = read ".err"
    assert.equal("130\n", read ".status")
    has_not(remarks, "traceback")
    local accepted, left = remarks:match "60 devices: (%d+) accepted, (%d+) not begun"
    assert.equal(60, accepted + left)
    assert.equal(tonumber(accepted), #created())
    assert.truthy(tonumber(left) > 0)
  end)

  it("finishes what is in flight on SIGTERM or Ctrl-C, says what was done, and begins no more", function()
    local names = desks(20)
    for _, signal in ipairs { "INT", "TERM" } do
      tenant.reset()
      desks(20)
      tenant.fault { match = { method = "POST", path = "restrictCodeExecution" }, fault = "slow", interval = 0.002,
        count = false }
      local process = command.start({ "restrict", "-", "--comment", "x", "--yes" },
        { input = table.concat(names, "\n") })
      wait_until(function() return #created() == 8 end, process.errors)
      process.signal(signal)
      process.wait_for "Finishing what is in flight"
      local result = process.finish()
      assert.equal(130, result.status)
      assert.equal(8, #lines_of(result.out))
      for i, line in ipairs(lines_of(result.out)) do has(line, names[i] .. ": restriction accepted") end
      has(result.err, "Interrupted. 20 devices: 8 accepted, 12 not begun.")
      assert.equal(8, #created())
      tenant.clear()
    end
  end)

  it("stops at once when interrupted twice, and says what it cannot know", function()
    local names = desks(3)
    tenant.fault { match = { method = "POST", path = ("%040x"):format(0xd0002) }, fault = "stall" }
    local process = command.start { "restrict", names[1], names[2], names[3], "--comment", "x", "--yes" }
    wait_until(function() return #created() == 3 end, process.errors)
    process.signal "INT"
    process.wait_for "Finishing what is in flight"
    process.signal "INT"
    local result = process.finish()
    assert.equal(130, result.status)
    has(result.out, names[1] .. ": restriction accepted")
    has(result.out, names[3] .. ": restriction accepted")
    has(result.err, "3 devices: 2 accepted, 1 stopped in flight, of unknown fate.")
    has(result.err, ('"%s": stopped in flight; mde state shows'):format(names[2]))
  end)

  it("stops at once with one device too, when interrupted twice", function()
    tenant.fault { match = { method = "POST", path = LAPTOP_ID }, fault = "stall" }
    local process = command.start { "restrict", "laptop-17", "--comment", "x", "--yes" }
    wait_until(function() return #created() == 1 end, process.errors)
    process.signal "INT"
    process.wait_for "Finishing what is in flight"
    process.signal "INT"
    local result = process.finish()
    assert.equal(130, result.status)
    has(result.err, '"laptop-17": stopped in flight; mde state shows')
  end)

  it("does nothing with a list that is cut short by Ctrl-C", function()
    local process = command.start({ "restrict", "-", "--comment", "x", "--yes" },
      { input = "laptop-17\nlaptop-", endless = true })
    process.wait_until_it_reads()
    process.signal "INT"
    local result = process.finish()
    assert.equal(130, result.status)
    has(result.err, "Nothing was done.")
    assert.equal(0, #tenant.history "request")
  end)

  it("says that it was interrupted while it looked many devices up", function()
    local names
    local function interrupted(...)
      tenant.reset()
      names = desks(3)
      tenant.fault { match = { method = "GET", path = "desk-002" }, fault = "stall", count = false }
      local process = command.start({ "state", names[1], names[2], names[3], "missing", ... },
        { environment = { MDE_LOG = "json" } })
      wait_until(function()
        for _, entry in ipairs(tenant.history "request") do
          if (entry.query or ""):find("desk-002", 1, true) then return true end
        end
      end, process.errors)
      process.signal "INT"
      return process.finish()
    end
    local result = interrupted()
    assert.equal(130, result.status)
    assert.equal(0, #lines_of(result.out))
    has(result.err, "Interrupted. 4 devices: 4 not finished.")
    local rows = {}
    for i, line in ipairs(lines_of(interrupted("--json").out)) do rows[i] = assert(sim_json.decode(line)) end
    assert.equal(4, #rows)
    for i = 1, 4 do assert.equal("unavailable", rows[i].error.kind) end
  end)

  for what, arguments in pairs {
    ["an action"] = { "action", "5c1f9a52-0000-4000-8000-000000000001" },
    ["the state of one"] = { "state", "laptop-17" },
    ["what an incident holds"] = { "release", "--all-of", "INC-1", "--comment", "x", "--yes" },
    ["machines"] = { "machines", "--all" },
  } do
    it("says that it was interrupted while it read " .. what, function()
      tenant.fault { match = { method = "GET" }, fault = "stall", count = false }
      local process = command.start(arguments)
      wait_until(function() return tenant.faults()[1].applied > 0 end, process.errors)
      process.signal "INT"
      local result = process.finish()
      assert.equal(130, result.status)
      assert.equal("", result.out)
      has(result.err, "Interrupted")
    end)
  end

  it("tells whose end it has seen when it is interrupted while it waits", function()
    for _, format in ipairs { "--json", "--csv", "" } do
      tenant.reset()
      local process = command.start { "restrict", "laptop-17", "laptop-18", "--comment", "x", "--yes", "--wait",
        format ~= "" and format or nil }
      if format ~= "" then process.wait_for "Waiting: 1 of 2\n" else process.wait_for_output "Succeeded" end
      process.signal "INT"
      local result = process.finish()
      assert.equal(130, result.status)
      has(result.err, "Interrupted. 2 devices: 1 succeeded, 1 accepted.")
      if format == "--json" then
        local rows = lines_of(result.out)
        assert.equal("Succeeded", assert(sim_json.decode(rows[1])).waited)
        assert.is_nil(assert(sim_json.decode(rows[2])).waited)
      end
    end
  end)

  it("writes an action that cannot be read as JSON too", function()
    local id = "5c1f9a52-0000-4000-8000-00000000dead"
    local result = command.run { "action", id, "--json" }
    assert.equal(2, result.status)
    assert.equal("", result.err)
    local row = assert(sim_json.decode(result.out))
    assert.equal(id, row.id)
    assert.equal("not_found", row.error.kind)
  end)

  it("stops waiting at the first interruption, with what it knows", function()
    local process = command.start { "restrict", "laptop-18", "--comment", "x", "--yes", "--wait", "--json" }
    wait_until(function()
      local polls = 0
      for _, entry in ipairs(tenant.history "request") do
        if entry.path:find("/machineactions/", 1, true) then polls = polls + 1 end
      end
      return polls > 0
    end, process.errors)
    process.signal "INT"
    local result = process.finish()
    assert.equal(130, result.status)
    assert.equal("accepted", assert(sim_json.decode(result.out)).outcome)
  end)

  it("explains itself", function()
    local result = command.run { "--version" }
    assert.truthy(result.out:find "^mde %d+%.%d+%.%d+\n$")
    assert.equal(0, result.status)
    for _, name in ipairs { "restrict", "release", "state", "report", "machines", "actions", "action", "cancel", "tag",
      "untag", "sim", "completion", "man", "help" } do
      result = command.run { name, "--help" }
      assert.equal(0, result.status)
      has(result.out, "Usage: mde " .. name)
      has(result.out, "Examples:\n   ")
      has(result.out, "Exit status:")
      for _, line in ipairs(lines_of(result.out)) do assert.truthy(#line <= 100, line) end
    end
    assert.equal(command.run({ "--version" }).out, command.run({ "-V" }).out)
    assert.equal(command.run({ "release", "--help" }).out, command.run({ "help", "release" }).out)
    assert.equal(command.run({ "--help" }).out, command.run({ "help" }).out)
    has(command.run({ "--help" }).out, "AZURE_CLIENT_SECRET")
    local explained = command.run({ "actions", "--help" }).out
    for _, field in ipairs { "status=", "type=", "machineId=", "requestor!=", "creationDateTimeUtc>=" } do
      has(explained, field)
    end
    has_not(explained, "riskScore")
  end)

  it("takes no option twice whose second value would contradict the first", function()
    local repeatable = { ["--allow"] = true, ["--all-of"] = true, ["--ended"] = true, ["--role"] = true,
      ["--offline"] = true, ["--night"] = true, ["--faults"] = true, ["--again"] = true,
      ["--graph-role"] = true }
    local times = { ["--since"] = true, ["--wait"] = true, ["--decided-at"] = true, ["--release-after"] = true }
    local count = 0
    for _, name in ipairs { "restrict", "release", "state", "report", "machines", "actions", "cancel", "tag", "untag",
      "sim", "plan", "run", "resume", "undo", "rehearse", "watch" } do
      for option, value in command.run({ name, "--help" }).out:gmatch "\n +(%-%-[a-z-]+) +([<{]%S*)" do
        -- The caps of a run are one for each verb; one that is named twice is refused (cli/run/arguments_spec.lua).
        local runs = { plan = true, run = true, resume = true, rehearse = true, watch = true }
        local is_of_run = option == "--cap" and runs[name]
        if not repeatable[option] and not is_of_run then
          count = count + 1
          local plain = times[option] and "1h" or "1"
          local word = ("%s=%s"):format(option, value:match "^{([^,}]+)" or plain)
          local result = command.run { name, word, word }
          assert.equal(1, result.status)
          has(result.err, ("option '%s' must be used %s1 time"):format(option,
            name == "cancel" and option == "--comment" and "" or "at most "))
        end
      end
    end
    assert.truthy(count >= 30, count)
    has(command.run({ "release", "--cap=1", "--cap=2" }).err, "option '--cap' must be used at most 1 time")
  end)

  it("completes its words in shells", function()
    for shell, check in pairs { bash = "bash -n", zsh = false, fish = false } do
      local result = command.run { "completion", shell }
      assert.equal(0, result.status)
      for _, word in ipairs { "restrict", "report", "incident", "completion" } do has(result.out, word) end
      if shell == "fish" then
        for line in result.out:gmatch "[^\n]+" do
          if line:find("using_command release", 1, true) or line:find("seen_subcommand_from release", 1, true) then
            has_not(line, "cancel-opposite")
          end
        end
        local _, count = result.out:gsub("cancel%-opposite", "")
        assert.equal(3, count)
      end
      if check then
        local path = command.file("completion", result.out)
        local pipe = io.popen(("%s %s 2>&1; echo $?"):format(check, path))
        assert.equal("0\n", pipe:read "*a")
        pipe:close()
      end
    end
  end)
end)
