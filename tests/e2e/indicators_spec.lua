-- Indicators and details as a person asks for them, each a process of its own, over TLS.
-- Labels: only-lua5.4
local commands = require "tests.spec.support.process.command"
local tenants = require "tests.spec.support.server.tenant"

local has = commands.has

describe("indicators and details over TLS", function()
  local tenant, command

  setup(function()
    tenant = tenants.start { limits = false, "--role", "Machine.Read.All", "--role", "Ti.ReadWrite.All", "--role",
      "User.Read.All", "--role", "Software.Read.All", "--role", "Vulnerability.Read.All", "--role",
      "SecurityRecommendation.Read.All" }
    command = commands.new(tenant.env)
    tenant.machine { id = ("%040x"):format(0xe1), computerDnsName = "desk-1.corp.example" }
  end)

  teardown(function()
    if command then command.stop() end
    tenant.stop()
  end)

  it("adds, lists, imports and deletes", function()
    local told = command.run { "indicators", "add", "bad.example", "--type", "DomainName", "--action", "Block",
      "--title", "INC-1", "--description", "C2", "--expires", "30d", "--yes" }
    assert.same({ 0, '994: Block DomainName "bad.example"\n' }, { told.status, told.out }, told.err)
    local path = os.tmpname()
    local file = assert(io.open(path, "wb"))
    file:write("indicatorValue,indicatorType,action,title,description\n203.0.113.7,IpAddress,Block,INC-1,C2\n"
      .. "10.0.0.0/8,IpAddress,Block,INC-1,C2\n")
    file:close()
    told = command.run { "indicators", "import", path, "--yes" }
    os.remove(path)
    assert.equal(2, told.status)
    has(told.err, "line 3: ")
    told = command.run { "indicators", "list", "action=Block", "--csv", "--columns", "id,indicatorValue" }
    assert.equal("id,indicatorValue\r\n994,bad.example\r\n995,203.0.113.7\r\n", told.out)
    told = command.run { "indicators", "delete", "994", "995", "--yes" }
    assert.same({ 0, "994: deleted\n995: deleted\n" }, { told.status, told.out }, told.err)
    assert.equal(2, command.run({ "indicators", "delete", "994", "--yes" }).status)
  end)

  it("shows what is known of a device", function()
    local told = command.run { "details", "desk-1", "--json" }
    assert.equal(0, told.status, told.err)
    has(told.out, '"part":"logon_users"')
  end)
end)
