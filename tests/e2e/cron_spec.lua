-- The crontab of the README, by which restrictions end: its line is run as cron runs it, over TLS.
-- Labels: only-lua5.4, long
local commands = require "tests.spec.support.process.command"
local shell = require "tests.spec.support.process.shell"

local scene = commands.scene()
local tenant, desks = scene.tenant, scene.desks

local function id(number) return ("%040x"):format(0xd0000 + number) end

describe("the crontab of the README", function()
  local home

  -- What cron gives a job: a home with the profile that the README shows, and no setting of the tenant's.
  before_each(function()
    home = shell.new_directory()
    local env = tenant.env
    os.execute("mkdir -p " .. home .. "/.config/mde " .. home .. "/bin")
    shell.write_file(home .. "/secret", env.AZURE_CLIENT_SECRET)
    shell.write_file(home .. "/.config/mde/config", ([[
[contoso]
tenant_id = %s
client_id = %s
client_secret_file = %s/secret
authority = %s
base_url = %s
ca_file = %s
]]):format(env.AZURE_TENANT_ID, env.AZURE_CLIENT_ID, home, env.AZURE_AUTHORITY_HOST, env.MDE_BASE_URL, tenant.ca_file))
    shell.write_environment(home .. "/lua", shell.lua_environment())
    local root = shell.output_of "pwd":gsub("%s+$", "")
    shell.write_file(home .. "/bin/mde", ("#!/bin/sh\n. %s/lua\ncd %s\nexec lua5.4 lua/mde/cli/mde.lua \"$@\"\n")
      :format(home, shell.quote(root)))
    os.execute(("chmod 600 %s/secret %s/.config/mde/config; chmod 755 %s/bin/mde"):format(home, home, home))
  end)

  after_each(function() shell.remove(home) end)

  local path, line = shell.read_file "README.md":match "```cron\nPATH=([^\n]+)\n([^\n]+)\n```"

  -- Runs the job once: what cron would mail, and how it ended.
  local function run()
    local job = line:match "^%S+ %S+ %S+ %S+ %S+ +(.+)$"
    -- In a crontab a % is the end of the line.
    assert.is_nil(job:find("%", 1, true))
    return shell.output_of(("env -i HOME=%s LOGNAME=soc SHELL=/bin/sh PATH=%s/bin:%s sh -c %s </dev/null 2>&1; echo $?")
      :format(home, home, path, shell.quote(job)))
  end

  local function restrict(number, seconds)
    tenant.action { machineId = id(number), type = "RestrictCodeExecution", status = "Succeeded",
      creationDateTimeUtc = "3h ago", lastUpdateDateTimeUtc = "3h ago",
      requestorComment = ("odd [mde:INC-%d:0123456789abcdefgh%02d.until.%d]"):format(number, number,
        os.time() + seconds) }
  end

  it("has a line that runs every few minutes", function()
    assert.matches("^%*/%d %* %* %* %* ", line)
  end)

  it("releases what is over and leaves what is not, and says nothing where nothing is", function()
    assert.equal("0\n", run())
    desks(2)
    restrict(1, -3600)
    restrict(2, 3600)
    assert.matches("^desk%-001[%w.]*: release accepted [^\n]+\n0\n$", run())
    local created = scene.created()
    local last = created[#created]
    assert.same({ "UnrestrictCodeExecution", id(1) }, { last.type, last.machine })
    -- Four minutes later, by when the device has done it. Of clocks that are five apart the command warns.
    tenant.advance(240)
    assert.equal("0\n", run())
    assert.equal(#created, #scene.created())
  end)

  it("is mailed what went wrong", function()
    shell.write_file(home .. "/secret", "no secret of theirs")
    local said = run()
    assert.matches("^mde release: ", said)
    assert.matches("\n1\n$", said)
  end)
end)
