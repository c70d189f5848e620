-- plan: what would be done with each device, and how it is told.
-- Labels: only-lua5.4
local console = require "tests.spec.support.console"
local json = require "mde.sim.base.json"
local rehearsal = require "tests.spec.support.rehearsal"

local function id(number) return ("%040x"):format(0xa0000 + number) end

describe("a plan", function()
  local r

  local function begin(options)
    local machines = {}
    for i = 1, 60 do machines[i] = { id = id(i), computerDnsName = ("desk-%02d.corp.example"):format(i) } end
    machines[41].osPlatform = "WindowsServer2019"
    machines[42].osPlatform = "WindowsServer2019"
    machines[61] = { id = id(61), computerDnsName = "spare.corp.example", onboardingStatus = "CanBeOnboarded" }
    machines[62] = { id = id(62), computerDnsName = "older.corp.example", mergedIntoMachineId = id(60) }
    machines[51].computerDnsName, machines[52].computerDnsName = "twin.corp.example", "TWIN.corp.example"
    r = rehearsal.new { limits = false, machines = machines, client = options }
  end

  before_each(function() begin() end)

  local function list_of(lines)
    local path = os.tmpname()
    local file = assert(io.open(path, "wb"))
    file:write(table.concat(lines, "\n"))
    file:close()
    finally(function() os.remove(path) end)
    return path
  end

  local function desks(first, last)
    local names = {}
    for i = first, last do names[#names + 1] = ("desk-%02d"):format(i) end
    return names
  end

  local function restrict(lines, answers, words, options)
    local all = { "restrict", "--list", list_of(lines), "--comment", "same beacon", "--incident", "INC-1" }
    for _, word in ipairs(words or {}) do all[#all + 1] = word end
    return console.run(all, { client = r.client, answers = answers, columns = options and options.columns or 80 })
  end

  it("says of each that the sign-in was lost midway, and asks for none", function()
    local function release(answers, ...)
      begin()
      r:fault { match = { path = "/machineactions" }, fault = "answer", status = 401, count = false }
      return console.run({ "release", "--list", list_of(desks(1, 20)), "--comment", "cleared", ... },
        { client = r.client, answers = answers, columns = 80 })
    end
    local told = release { "y" }
    assert.equal(1, told.status, told.err)
    assert.matches("Left as they are: 20 of 20", told.err)
    assert.matches(" 20 could not be looked at %(auth%): ", told.err)
    assert.falsy(told.err:find("[y/N]", 1, true))
    told = release(nil, "--dry-run", "--json")
    assert.equal(1, told.status, told.err)
    assert.matches("20 devices: 20 failed%.\n$", told.err)
    local row = assert(json.decode(told.out:match("[^\n]*desk%-20[^\n]*")))
    assert.same({ "auth", 'release "desk-20"' }, { row.error.kind, row.error.asked })
    assert.same({}, r:posts())
  end)

  it("names those that are left, by reason, and asks for the others alone", function()
    r:past(id(1), "restrict", "Succeeded", 100, { requestorComment = "x [mde:INC-1:operation-1]" })
    r:past(id(2), "restrict", "Succeeded", 300, { requestorComment = "x [mde:INC-1:operation-2]" })
    r:past(id(2), "release", "Succeeded", 100, { requestor = "a.colleague@corp.example" })
    local lines = desks(1, 12)
    for _, line in ipairs { "desk-41", "desk-42", "spare", "older", "nowhere", "twin", "10.1.2.3",
      "desk-03.corp.example", "desk-04" } do
      lines[#lines + 1] = line
    end
    local told = restrict(lines, { "y" })
    assert.equal(2, told.status, told.err)
    local text = told.err:gsub("%s+", " ")
    for _, part in ipairs {
      "Tenant 7e000000-0000-4000-8000-00000000007e, application c1000000-0000-4000-8000-0000000000c1, at ",
      'Incident INC-1, comment: "same beacon" ',
      "Left as they are: 9 of 19 ",
      " 1 restricted already: desk-01.corp.example (INC-1) ",
      " 1 released or cancelled since it was restricted for this: desk-02.corp.example "
        .. "(by a.colleague@corp.example) ",
      " 2 protected by the rule servers: desk-41.corp.example, desk-42.corp.example ",
      " 1 not found: nowhere ",
      " 1 known, but not onboarded: spare ",
      (" 1 merged into another machine: older (now %s) "):format(id(60)),
      (" 1 several machines answer to it: twin (2 of them: %s, Windows11, last seen "):format(id(51)),
      ("; %s, Windows11, last seen "):format(id(52)),
      " 1 cannot be a device: 10.1.2.3 (line 19) ",
      '"desk-03" and "desk-03.corp.example" are the same machine; it counts once',
      " Restrict these 10? [y/N] ",
    } do
      assert(text:find(part, 1, true), part .. " is missing in " .. text)
    end
    assert.equal(10, #r:posts())
    assert.matches(" 19 devices: 1 already active, 10 accepted, 8 left%. $", text)
    for line in told.err:gmatch "[^\n]+" do assert(not line:find "^    " or #line <= 80, line) end
  end)

  it("says what is restricted already for another incident", function()
    r:past(id(1), "restrict", "Succeeded", 100, { requestorComment = "x [mde:INC-9:operation-1]" })
    local told = restrict({ "desk-01", "desk-02" }, { "n" })
    assert.matches("Note: desk%-01%.corp%.example is restricted already by INC%-9; it is sent again to record INC%-1%.",
      (told.err:gsub("%s+", " ")))
    assert.same({}, r:posts())
  end)

  it("leaves what a colleague has released, unless that is to be done again", function()
    r:past(id(2), "restrict", "Succeeded", 300, { requestorComment = "x [mde:INC-1:operation-2]" })
    r:past(id(2), "release", "Succeeded", 100)
    local told = restrict({ "desk-02", "desk-03" }, nil, { "--yes" })
    assert.equal(2, told.status)
    assert.matches("one like it was sent before and taken back", told.err)
    assert.equal(1, #r:posts())
    assert.equal(0, restrict({ "desk-02", "desk-03" }, nil, { "--yes", "--again" }).status)
    assert.equal(2, #r:posts())
  end)

  it("of more than 25 is confirmed by typing their number", function()
    begin { cap = false }
    for _, case in ipairs { { "", 2 }, { "n", 2 }, { "30", 0 } } do
      local told = restrict(desks(1, 30), { case[1] })
      assert.equal(case[2], told.status, told.err)
      assert.matches("Restrict these 30%? %[type 30, or N%] ", told.err)
    end
    assert.equal(30, #r:posts())
    local told = restrict(desks(31, 60), { "yes", "26", "" }, { "--allow", "servers" })
    assert.equal(2, told.status)
    assert.equal(2, select(2, told.err:gsub("Answer 28 or n%.\n", "")), told.err)
    assert.equal(30, #r:posts())
  end)

  it("says how many the cap lets through before it asks", function()
    begin { cap = 5 }
    local told = restrict(desks(1, 8), { "y" })
    assert.equal(2, told.status)
    assert.matches("The cap of 5 restricts an hour lets 5 of these 8 through now; the other 3 are%s+refused", told.err)
    assert.matches("Restrict 5 of these 8 now%? %[y/N%] ", told.err)
    assert.equal(5, #r:posts())
    told = restrict(desks(20, 28), { "y" })
    assert.equal(2, told.status)
    assert.matches("lets none of these 9 through now; the next%s+may%s+go%s+at ", told.err)
    assert.is_nil(told.err:find("[y/N]", 1, true))
    assert.matches("The cap of 5 restricts an hour does not let it through now; the next may",
      restrict({ "desk-30" }, {}).err)
    assert.equal(5, #r:posts())
  end)

  it("fits on a screen, and is the same as a dry run", function()
    begin { cap = false }
    local lines = desks(1, 50)
    lines[51], lines[52] = "nowhere", "10.1.2.3"
    local asked = restrict(lines, { "n" }, { "--allow", "servers" })
    assert(select(2, asked.err:gsub("\n", "")) <= 24, asked.err)
    assert.matches("\n  desk%-05[^\n]+\n  and 45 more; ", asked.err)
    local told = restrict(lines, nil, { "--allow", "servers", "--dry-run" }, { columns = 80 })
    assert.equal(2, told.status)
    assert.equal("", told.out)
    -- Where nobody can be asked, nothing is wrapped.
    local function words_of(text) return (text:gsub("/tmp/lua_%w+", "FILE"):gsub("%s+", " ")) end
    local plan = words_of(asked.err):gsub("Restrict these.*$", "")
    assert.equal(plan .. "52 devices: 50 would be sent, 2 left. ", words_of(told.err))
    assert.same({}, r:posts())
  end)

  it("costs a handful of requests, and none of them changes anything", function()
    local lines = desks(1, 40)
    for _, line in ipairs { "desk-01", "DESK-02", "desk-03.corp.example" } do lines[#lines + 1] = line end
    local told = restrict(lines, nil, { "--dry-run", "--json" })
    assert.equal(2, told.status)
    local rows = {}
    for line in told.out:gmatch "[^\n]+" do rows[#rows + 1] = assert(json.decode(line)) end
    local plan = rows[41].plan
    assert.same({ 40, 25, 3 }, { plan.would_send, plan.may_go_now, plan.named_again })
    assert.same({}, r:posts())
    assert(#r:requests() <= 5, #r:requests())
  end)

  for _, count in ipairs { 1, 30, 300, 1500 } do
    it(("and all of it cost little more than a request for each of %d devices"):format(count), function()
      local machines, names = {}, {}
      for i = 1, count do
        names[i] = ("seat-%04d"):format(i)
        machines[i] = { id = id(1000 + i), computerDnsName = names[i] .. ".corp.example" }
      end
      -- The service's limits hold; the clock is made up.
      r = rehearsal.new { machines = machines, client = { cap = false } }
      local told = restrict(names, { count > 25 and tostring(count) or "y" })
      assert.equal(0, told.status, told.err)
      assert.equal(count, #r:posts())
      local reads = #r:requests() - count
      print(("%d devices: %d restricts and %d reads"):format(count, count, reads))
      -- The limits let 100 through in a minute, and no look is older than one.
      local minutes = math.floor(count / 100)
      assert(reads <= 10 + minutes, reads)
    end)
  end

  it("has in JSON which machines may be meant", function()
    local told = restrict({ "twin", "desk-01", "nowhere" }, nil, { "--dry-run", "--json" })
    local plan
    for line in told.out:gmatch "[^\n]+" do plan = assert(json.decode(line)).plan or plan end
    local by_reason = {}
    for _, group in ipairs(plan.left) do by_reason[group.reason] = group end
    assert.is_nil(by_reason["not found"].devices)
    local devices = by_reason["several machines answer to it"].devices
    assert.same({ "twin", 2 }, { devices[1].device, #devices[1].candidates })
    local first = devices[1].candidates[1]
    assert.same({ id(51), "twin.corp.example", "Windows11", "Active" }, { first.id, first.computerDnsName,
      first.osPlatform, first.healthStatus })
    assert.is_string(first.lastSeen)
  end)

  it("names the lines of a list that are not like the others, by reason", function()
    local lines = { "id,fqdn" }
    for i = 1, 4 do lines[#lines + 1] = ("%s,desk-%02d"):format(id(i), i) end
    for i = 5, 8 do lines[#lines + 1] = (",desk-%02d"):format(i) end
    lines[#lines + 1] = "thanks"
    lines[#lines + 1] = id(3)
    local told = restrict(lines, { "y" })
    assert.equal(2, told.status, told.err)
    local text = told.err:gsub("%s+", " ")
    for _, part in ipairs { " 4 could be lines of a note: desk-05 (line 6), desk-06 (line 7), desk-07 (line 8), ",
      (" 2 not like the other lines: thanks (line 10), %s (line 11) "):format(id(3)), " Restrict these 4? " } do
      assert(text:find(part, 1, true), part .. " is missing in " .. text)
    end
    assert.equal(4, #r:posts())
    told = restrict(lines, nil, { "--dry-run", "--json" })
    assert.matches('"message":"line 10 of [^"]*: 1 cell, where the first line has 2; the line is left out"', told.out)
    assert.matches('{"count":4,"reason":"could be lines of a note"}', told.out)
    told = restrict(lines, { "y" }, { "--strict" })
    assert.equal(1, told.status, told.err)
    assert.equal(4, #r:posts())
  end)

  it("asks which machine is meant where a name is not clear", function()
    local told = restrict({ "twin", "desk-01" }, { "9", "2", "y" })
    assert.equal(0, told.status, told.err)
    assert.matches("Which one %(1 to 2, or nothing to leave it%)%? ", told.err)
    assert.equal(2, #r:posts())
    told = restrict({ "twin", "desk-02" }, { "", "y" })
    assert.equal(2, told.status)
    assert.equal(3, #r:posts())
  end)
end)
