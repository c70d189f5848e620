-- The command as a person meets it: on terminals of 80 and 200 columns, against a tenant over TLS. What is seen is kept
-- in the build directory's seen/.
-- Labels: only-lua5.4, long
local commands = require "tests.spec.support.process.command"
local wait_until = require "tests.spec.support.process.wait_until"

local LAPTOP = "laptop-17.corp.example"
local HOSTILE = commands.HOSTILE

local has, has_not, lines_of = commands.has, commands.has_not, commands.lines_of
local scene = commands.scene()
local tenant, command, created, desks = scene.tenant, scene.command, scene.created, scene.desks

describe("mde on a terminal", function()
  local screens = {}

  before_each(function()
    assert.truthy(commands.has_tmux(), "tmux is missing: tests/set-up tests")
  end)

  after_each(function()
    for _, screen in ipairs(screens) do screen.close() end
    screens = {}
  end)

  local function screen_of(arguments, options)
    local screen = command.screen(arguments, options)
    screens[#screens + 1] = screen
    return screen
  end

  for _, columns in ipairs { 80, 200 } do
    local function name(what) return ("%s-%d"):format(what, columns) end

    it(("of %d columns shows the machines, offers a comment and asks"):format(columns), function()
      tenant.machine { id = ("%040x"):format(0xe0001), computerDnsName = HOSTILE, machineTags = { "\27[31mred" } }
      local screen = screen_of({ "restrict", "laptop-17", ("%040x"):format(0xe0001), "kiosk", "--incident", "INC-1" },
        { columns = columns })
      screen.wait_for "Comment [Possible security risk.]:"
      screen.keys "Enter"
      screen.wait_for "Which one (1 to 2, or nothing to leave it)?"
      screen.keys "Enter"
      screen.wait_for "Restrict these 2? [y/N]"
      has(screen.text(), "To be restricted to code signed by Microsoft:")
      has(screen.text(), "  NAME  ")
      has(screen.text(), "  " .. LAPTOP .. " ")
      has(screen.text(), "Windows11")
      has(screen.text(), "2h ago")
      has(screen.text(), "\\x1b]0;owned\\x07\\x1b[2J")
      has(screen.text(), '2 devices answer to "kiosk"')
      assert.equal(0, #created())
      screen.keys("y", "Enter")
      assert.equal(2, screen.status())
      screen.wait_for "exit 2"
      has(screen.text(), LAPTOP .. ": restriction accepted")
      has(screen.text(), "3 devices: 2 accepted, 1 left.")
      screen.record(name "restrict")
      local first = created()[1]
      assert.equal(2, #created())
      has(command.run({ "action", first.action }).out, "Possible security risk. [mde:INC-1:")
    end)

    it(("of %d columns does nothing unless yes is said"):format(columns), function()
      for _, answer in ipairs { "", "n", "C-d" } do
        local screen = screen_of({ "release", "laptop-17", "--comment", "x" }, { columns = columns })
        screen.wait_for "Release it? [y/N]"
        if answer == "C-d" then screen.keys(answer) else screen.keys(answer, "Enter") end
        assert.equal(2, screen.status())
        screen.wait_for "Nothing was done."
      end
      assert.equal(0, #created())
    end)

    it(("of %d columns shows machines in columns that fit"):format(columns), function()
      tenant.machine { id = ("%040x"):format(0xe0001), computerDnsName = HOSTILE, riskScore = "High",
        machineTags = { ("a long tag "):rep(20) } }
      local screen = screen_of({ "machines", "riskScore=High" }, { columns = columns })
      screen.wait_for "exit 0"
      screen.record(name "machines")
      local lines = lines_of(screen.text())
      assert.truthy(lines[1]:find "^NAME +PLATFORM +")
      assert.equal(columns >= 200, lines[1]:find "ID$" ~= nil)
      has(screen.text(), LAPTOP .. " ")
      -- A row that did not fit would take two lines.
      local found = command.run { "machines", "riskScore=High" }
      assert.equal(#lines_of(found.out) + 1, #lines)
    end)

    it(("of %d columns shows how far it is with many"):format(columns), function()
      local names = desks(12)
      tenant.fault { match = { method = "POST", path = ("%040x"):format(0xd0005) }, fault = "slow", interval = 0.002 }
      local list = command.file("twelve", table.concat(names, "\n"))
      local screen = screen_of({ "restrict", "--list", list, "--comment", "x", "--yes", "--wait" },
        { columns = columns })
      screen.wait_for "Restricting [###########################...] 11 of 12"
      screen.record(name "progress")
      screen.wait_for "12 devices: 12 succeeded."
      screen.wait_for "exit 0"
      has_not(screen.text(), "Restricting [")
      screen.record(name "many")
    end)

    it(("of %d columns shows once how far it is, below errors of several lines"):format(columns), function()
      local names = desks(12)
      for _, i in ipairs { 2, 3, 5 } do
        tenant.fault { match = { method = "POST", path = ("%040x"):format(0xd0000 + i) }, fault = "answer",
          status = 400,
          body = '{"error":{"code":"BadRequest","message":"' .. ("This device cannot be done. "):rep(12) .. '"}}' }
      end
      tenant.fault { match = { method = "POST", path = ("%040x"):format(0xd0008) }, fault = "slow", interval = 0.002 }
      local list = command.file("twelve", table.concat(names, "\n"))
      local screen = screen_of({ "restrict", "--list", list, "--comment", "x", "--yes" }, { columns = columns })
      screen.wait_for "Restricting [###########################...] 11 of 12, 3 failed"
      screen.record(name "progress-with-errors")
      assert.equal(1, select(2, screen.text():gsub("Restricting %[", "")), screen.text())
      screen.wait_for "exit 2"
      has_not(screen.text(), "Restricting [")
    end)

    it(("of %d columns says what was done at Ctrl-C"):format(columns), function()
      local names = desks(12)
      tenant.fault { match = { method = "POST", path = "restrictCodeExecution" }, fault = "slow", interval = 0.002,
        count = false }
      local list = command.file("twelve", table.concat(names, "\n"))
      local screen = screen_of({ "restrict", "--list", list, "--comment", "x", "--yes" }, { columns = columns })
      wait_until(function() return #created() == 8 end, screen.text)
      screen.keys "C-c"
      screen.wait_for "Finishing what is in flight, nothing new is begun. Ctrl-C again stops at once."
      assert.equal(130, screen.status())
      screen.wait_for "Interrupted. 12 devices: 8 accepted, 4 not begun."
      screen.record(name "interrupted")
      assert.equal(8, #created())
    end)

    it(("of %d columns stops at once at the second Ctrl-C"):format(columns), function()
      local names = desks(3)
      tenant.fault { match = { method = "POST", path = "restrictCodeExecution" }, fault = "stall", count = false }
      local screen = screen_of({ "restrict", names[1], names[2], names[3], "--comment", "x", "--yes" },
        { columns = columns })
      wait_until(function() return #created() == 3 end, screen.text)
      screen.keys "C-c"
      screen.wait_for "Finishing what is in flight"
      screen.keys "C-c"
      assert.equal(130, screen.status())
      screen.wait_for "Interrupted. 3 devices: 3 stopped in flight, of unknown fate."
      screen.record(name "interrupted-twice")
    end)
  end

  it("gives way to a colleague who acts while the question stands", function()
    local names = desks(3)
    local screen = screen_of { "restrict", names[1], names[2], names[3], "--comment", "x" }
    screen.wait_for "Restrict these 3? [y/N]"
    tenant.action { type = "UnrestrictCodeExecution", machineId = ("%040x"):format(0xd0002), status = "Succeeded",
      requestor = "a.colleague@corp.example" }
    local before = #created()
    screen.keys("y", "Enter")
    assert.equal(2, screen.status())
    screen.wait_for "3 devices: 2 accepted, 1 left."
    has(screen.text():gsub("%s+", " "), names[2] .. '": nothing was sent; while the question stood, '
      .. "a.colleague@corp.example made the opposite action")
    assert.equal(before + 2, #created())
    -- No rest of the progress is left among the results.
    has_not(screen.text(), "Restricting [")
  end)

  it("asks for a comment again if the service would refuse it", function()
    local screen = screen_of { "restrict", "laptop-17" }
    screen.wait_for "Comment ["
    screen.keys((("x"):rep(851)), "Enter")
    screen.wait_for "longer than 850 characters"
    screen.keys("fine", "Enter")
    screen.wait_for "Restrict it?"
    screen.keys("yes", "Enter")
    assert.equal(0, screen.status())
  end)

  it("shows an action's machine first, and its id whole where there is room", function()
    command.run { "restrict", "laptop-17", "--comment", ("a long comment "):rep(10), "--yes" }
    for _, columns in ipairs { 80, 100 } do
      local screen = screen_of({ "actions", "--all" }, { columns = columns })
      screen.wait_for "exit 0"
      assert.matches("^MACHINE  ", screen.text())
      has(screen.text(), "\n" .. LAPTOP .. "  Restrict  ")
      if columns == 100 then has(screen.text(), "  " .. created()[1].action) end
    end
  end)

  it("tells two machines of one name apart, when it asks and when it tells", function()
    local ids = {}
    for i, name in ipairs { "the-name-of-two-laptops.corp.example", "THE-NAME-of-two-laptops.corp.example" } do
      ids[i] = ("%040x"):format(0xf0000 + i)
      tenant.machine { id = ids[i], computerDnsName = name }
    end
    local screen = screen_of({ "restrict", ids[1], ids[2], "laptop-17", "--comment", "x" }, { columns = 80 })
    screen.wait_for "Restrict these 3? [y/N]"
    has(screen.text(), "  the-name-of-two-laptops... " .. ids[1])
    has(screen.text(), "  THE-NAME-of-two-laptops... " .. ids[2])
    has_not(screen.text(), "kiosk")
    screen.keys("y", "Enter")
    assert.equal(0, screen.status())
    screen.wait_for "3 devices: 3 accepted."
    local text = screen.text():gsub("%s+", " ")
    for _, id in ipairs(ids) do has(text, ("(%s): restriction accepted"):format(id)) end
    has(text, LAPTOP .. ": restriction accepted")
  end)

  it("shows some of many devices that cannot be looked up", function()
    local names = desks(1)
    for i = 2, 46 do names[i] = ("missing-%02d.corp.example"):format(i) end
    local list = command.file("missing", table.concat(names, "\n"))
    local screen = screen_of { "restrict", "--list", list, "--comment", "x" }
    screen.wait_for "Restrict it? [y/N]"
    has(screen.text(), "Left as they are: 45 of 46\n  45 not found: ")
    has(screen.text(), "and 5 more\n")
    has_not(screen.text(), "missing-42")
    screen.keys("n", "Enter")
    assert.equal(2, screen.status())
  end)

  it("asks of no device whose line in a list means two", function()
    desks(3)
    local list = command.file("two", ("DeviceId,DeviceName\n%040x,desk-002\n%040x,desk-001\n"):format(0xd0001, 0xd0003))
    local screen = screen_of { "restrict", "--list", list, "--comment", "x" }
    assert.equal(2, screen.status())
    local text = screen.text():gsub("%s+", " ")
    has(text, "are not the same device")
    has_not(text, "[y/N]")
    assert.equal(0, #created())
  end)

  it("ends the lines of a long message at blanks, and moves those that go on", function()
    local screen = screen_of({ "restrict", "nowhere", "--comment", "x", "--yes" }, { columns = 60 })
    screen.wait_for "exit 2"
    assert.equal('mde: restrict "nowhere": the service knows no device\n  "nowhere". Check the spelling: a bare host '
      .. "name or the\n  full DNS name, an Entra device id, or a machine id.\nexit 2", screen.text())
  end)

  it("shows errors in red and headings in bold, unless NO_COLOR says otherwise", function()
    for _, case in ipairs { { {}, true }, { { NO_COLOR = "1" }, false }, { { TERM = "dumb" }, false } } do
      local screen = screen_of({ "machines", "riskScore=High", "--limit", "1" }, { environment = case[1] })
      screen.wait_for "exit 0"
      assert.equal(case[2], screen.styled():find("\27[1mNAME", 1, true) ~= nil)
      screen = screen_of({ "state", "nowhere" }, { environment = case[1] })
      screen.wait_for "exit 2"
      assert.equal(case[2], screen.styled():find("\27[31mmde: ", 1, true) ~= nil)
    end
  end)

  it("notes before it asks that the cap will be reached", function()
    local names = desks(3)
    local screen = screen_of { "restrict", names[1], names[2], names[3], "--comment", "x", "--cap", "2" }
    screen.wait_for "Restrict 2 of these 3 now? [y/N]"
    has(screen.text(), "The cap of 2 restricts an hour lets 2 of these 3 through now;")
    screen.keys("n", "Enter")
    assert.equal(2, screen.status())
  end)

  it("does nothing at Ctrl-C while it looks devices up", function()
    local names = desks(3)
    tenant.fault { match = { method = "GET", path = "/machines" }, fault = "stall", count = false }
    local screen = screen_of { "restrict", names[1], names[2], names[3], "--comment", "x" }
    screen.wait_for "Looking up ["
    screen.keys "C-c"
    assert.equal(130, screen.status())
    screen.wait_for "Interrupted; nothing was done."
    has_not(screen.text(), "mde: ")
    assert.equal(0, #created())
  end)

  it("does nothing at Ctrl-C while it asks", function()
    local screen = screen_of { "restrict", "laptop-17" }
    screen.wait_for "Comment ["
    screen.keys "C-c"
    assert.equal(130, screen.status())
    screen.wait_for "Interrupted; nothing was done."
    assert.equal(0, #created())
  end)

  it("takes a list that is pasted, and asks behind it", function()
    local screen = screen_of { "restrict", "--list", "-", "--comment", "beacon" }
    screen.wait_for "Ctrl-D on a line of its own ends it."
    screen.keys("laptop-17", "Enter", "laptop-18", "Enter", "C-d")
    screen.wait_for "Restrict these 2? [y/N]"
    assert.equal(0, #created())
    screen.keys("y", "Enter")
    assert.equal(0, screen.status())
    assert.equal(2, #created())
  end)

  it("takes a list from another program, and asks on the terminal itself", function()
    for answer, status in pairs { n = 2, y = 0 } do
      local screen = screen_of({ "restrict", "-", "--comment", "beacon" }, { input = "laptop-17\nlaptop-18\n" })
      screen.wait_for "Restrict these 2? [y/N]"
      assert.equal(0, #created())
      screen.keys(answer, "Enter")
      assert.equal(status, screen.status())
      if answer == "n" then assert.equal(0, #created()) end
      if answer == "y" then tenant.reset() end
    end
  end)

  it("shows what an incident holds before it releases that", function()
    command.run { "restrict", "laptop-17", "--comment", "x", "--yes", "--wait", "--incident", "INC-1" }
    local screen = screen_of { "release", "--all-of", "INC-1" }
    screen.wait_for "Comment [No longer a security risk.]:"
    screen.keys "Enter"
    screen.wait_for "Release it?"
    has(screen.text(), "  " .. LAPTOP .. "  Windows11  2h ago")
    screen.keys("y", "Enter")
    assert.equal(0, screen.status())
    screen.wait_for ": release accepted"
  end)

  it("shows how many it still waits for", function()
    local screen = screen_of { "restrict", "laptop-17", "laptop-18", "--comment", "x", "--yes", "--wait" }
    screen.wait_for "Waiting [###############...............] 1 of 2"
    has(screen.text(), LAPTOP .. ": Succeeded")
    screen.record "waiting"
    screen.keys "C-c"
    assert.equal(130, screen.status())
    screen.wait_for "Interrupted. 2 devices: 1 succeeded, 1 accepted."
    has_not(screen.text(), "Waiting [")
  end)

  it("draws nothing on a terminal that does not say what it is", function()
    local names = desks(3)
    tenant.fault { match = { method = "GET", path = "/machines" }, fault = "stall", count = false }
    for _, kind in ipairs { "", "dumb" } do
      local before = #tenant.history "request"
      local screen = screen_of({ "restrict", names[1], names[2], names[3], "--comment", "x" },
        { environment = { TERM = kind } })
      wait_until(function() return #tenant.history "request" > before end, screen.text)
      has_not(screen.text(), "Looking up [")
      screen.keys "C-c"
      screen.wait_for "Interrupted; nothing was done."
    end
  end)

  it("says before it releases who else holds a device", function()
    local names = desks(3)
    for _, incident in ipairs { "INC-1", "INC-2" } do
      command.run { "restrict", names[1], names[2], "--comment", "x", "--yes", "--wait", "--incident", incident }
    end
    for count = 1, 3 do
      local arguments = { "release", "--comment", "x", "--incident", "INC-1" }
      for i = 1, count do arguments[#arguments + 1] = names[i] end
      local screen = screen_of(arguments)
      screen.wait_for "[y/N]"
      local text = screen.text():gsub("%s+", " ")
      for i = 1, 3 do
        (i <= math.min(2, count) and has or has_not)(text,
          ("Note: %s is held too by INC-2; the release ends that as well."):format(names[i]))
      end
      screen.keys("n", "Enter")
      assert.equal(2, screen.status())
    end
  end)

  it("says how to release a device whose history cannot be read", function()
    tenant.fault { match = { path = "/machineactions" }, fault = "answer", status = 403, count = false }
    local screen = screen_of { "release", "laptop-17", "--comment", "x" }
    assert.equal(3, screen.status())
    screen.wait_for "--no-look"
    has_not(screen.text(), "[y/N]")
    screen = screen_of { "release", "laptop-17", "--comment", "x", "--no-look" }
    screen.wait_for "Release it? [y/N]"
    screen.keys("n", "Enter")
    assert.equal(2, screen.status())
  end)

  it("finishes what is in flight when the terminal closes", function()
    local names = desks(12)
    tenant.fault { match = { method = "POST", path = "restrictCodeExecution" }, fault = "slow", interval = 0.002,
      count = false }
    local list = command.file("twelve", table.concat(names, "\n"))
    local screen = screen_of { "restrict", "--list", list, "--comment", "x", "--yes" }
    wait_until(function() return #created() == 8 end, screen.text)
    screen.close()
    assert.equal(130, screen.status())
    assert.equal(8, #created())
    tenant.clear()
    has(command.run({ "state", "--list", list }).out, names[8] .. "\trestrict")
  end)
end)
