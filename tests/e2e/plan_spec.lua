-- A list of 312 lines, as somebody pastes it at three in the morning, against a tenant of 10,000 machines over TLS:
-- what the plan says, and how many requests it costs.
-- Labels: only-lua5.4, long
local clock = require("mde.posix").clock
local commands = require "tests.spec.support.process.command"
local tenants = require "tests.spec.support.server.tenant"

local has = commands.has

local COUNT, SOUND, UNKNOWN, TWINS = 10000, 293, 9, 4

local function id(number) return ("%040x"):format(0xe00000 + number) end

describe("a list of 312 lines in a tenant of 10,000 machines", function()
  local tenant, command

  setup(function()
    tenant = tenants.start { machines = tostring(COUNT), limits = false, action_seconds = 1 }
    command = commands.new(tenant.env)
  end)
  teardown(function()
    command.stop()
    tenant.stop()
  end)

  before_each(function()
    tenant.reset()
    tenant.clear()
    for i = 1, SOUND do tenant.machine { id = id(i), computerDnsName = ("seat-%03d.corp.example"):format(i) } end
    for i = 1, 2 do
      tenant.machine { id = id(400 + i), computerDnsName = ("control-%d.corp.example"):format(i),
        osPlatform = "WindowsServer2019" }
    end
    for i = 1, TWINS do
      for j = 1, 2 do
        tenant.machine { id = id(500 + 10 * i + j), computerDnsName = ("twin-%d.corp.example"):format(i) }
      end
    end
  end)

  -- A byte order mark, a heading, CRLF, trailing blanks.
  local function list()
    local lines = { "\239\187\191DeviceName" }
    for i = 1, SOUND do lines[#lines + 1] = ("seat-%03d%s"):format(i, i % 3 == 0 and ".corp.example  " or "") end
    for i = 1, UNKNOWN do lines[#lines + 1] = ("absent-%d-of-nobody"):format(i) end
    for i = 1, TWINS do lines[#lines + 1] = ("twin-%d"):format(i) end
    for i = 1, 2 do lines[#lines + 1] = ("control-%d"):format(i) end
    for i = 1, 3 do lines[#lines + 1] = ("SEAT-00%d"):format(i) end
    lines[#lines + 1] = "10.20.30.40"
    assert.equal(312 + 1, #lines)
    return command.file("suspects.csv", table.concat(lines, "\r\n") .. "\r\n")
  end

  -- How many requests to the API there were, and how many of them restrict.
  local function requests()
    local reads, posts = 0, 0
    for _, entry in ipairs(tenant.history "request") do
      if entry.path:find("/restrictCodeExecution", 1, true) then
        posts = posts + 1
      elseif not entry.path:find("/oauth2/", 1, true) then
        reads = reads + 1
      end
    end
    return reads, posts
  end

  for _, columns in ipairs { 80, 120 } do
    it(("is planned with five requests at the most, on a terminal of %d columns"):format(columns), function()
      local began = clock.now()
      local screen = command.screen({ "restrict", "--list", list(), "--incident", "INC-4711", "--comment",
        "same beacon", "--cap", "500" }, { columns = columns, lines = 90 })
      finally(screen.close)
      screen.wait_for(("[type %d, or N]"):format(SOUND))
      local planned = clock.now() - began
      local reads, posts = requests()
      assert.equal(0, posts)
      assert(reads <= 5, reads)
      local text = screen.text():gsub("%s+", " ")
      has(text, "Incident INC-4711, comment: \"same beacon\"")
      has(text, "9 not found: absent-1-of-nobody")
      has(text, "4 several machines answer to it: twin-1 (2 of them: ")
      has(text, "2 protected by the rule servers: control-1.corp.example, control-2.corp.example")
      has(text, "1 cannot be a device: 10.20.30.40 (line 313)")
      has(text, "is named more than once")
      screen.record(("plan-%d"):format(columns))
      print(("%d columns: %d requests and %.1f s to the plan"):format(columns, reads, planned))
      screen.keys "Enter"
      assert.equal(2, screen.status())
    end)
  end

  it("is carried out with ten more requests than devices", function()
    -- Where the service allows more, a profile says so.
    os.execute(("mkdir -p %s/mde"):format(command.directory))
    command.file("mde/config", "[lab]\nlimits.per_minute = 100000\nlimits.per_hour = 100000\n")
    local began = clock.now()
    local screen = command.screen({ "restrict", "--list", list(), "--incident", "INC-4711", "--comment",
      "same beacon", "--cap", "500", "--profile", "lab" }, { columns = 80, lines = 90,
      environment = { XDG_CONFIG_HOME = command.directory } })
    finally(screen.close)
    screen.wait_for(("[type %d, or N]"):format(SOUND))
    screen.keys(("%d"):format(SOUND), "Enter")
    assert.equal(2, screen.status())
    local reads, posts = requests()
    print(("%d restricts and %d reads, %.1f s to the end"):format(posts, reads, clock.now() - began))
    assert.equal(SOUND, posts)
    assert(reads <= 10, reads)
    has(screen.text(), ("309 devices: %d accepted"):format(SOUND))
    screen.record "end-80"
  end)
end)
