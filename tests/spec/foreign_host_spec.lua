-- Who else than Microsoft receives the credential or the token of a client.

local clients = require "mde.client"
local environment = require "tests.spec.support.environment"
local rehearsal = require "tests.spec.support.rehearsal"

describe("a host that is no host of Microsoft's", function()
  after_each(environment.restore)

  local function remarks(options)
    return rehearsal.new({ machines = {}, client = options }).client:remarks()
  end

  it("is named with what it receives, and the option that chose it", function()
    assert.same({}, remarks())
    assert.same({ [[login.example receives the credential and is no host of Microsoft's (option "authority")]],
      [[api.example:8443 receives the token and is no host of Microsoft's (option "base_url")]] },
      remarks { authority = "https://login.example", base_url = "https://api.example:8443" })
  end)

  it("is named with the variable of the environment that chose it", function()
    environment.set { AZURE_AUTHORITY_HOST = "https://login.example.net", MDE_BASE_URL = "https://api.example.net" }
    assert.same({ "login.example.net receives the credential and is no host of Microsoft's (AZURE_AUTHORITY_HOST)",
      "api.example.net receives the token and is no host of Microsoft's (MDE_BASE_URL)" }, remarks())
  end)

  it("is named if it receives the token for Microsoft Graph", function()
    assert.same({ [[graph.example receives the token for Microsoft Graph and is no host of Microsoft's ]]
      .. [[(option "graph_url")]] }, remarks { graph_url = "https://graph.example" })
    assert.same({}, remarks { graph_url = "https://graph.microsoft.us" })
  end)

  it("is neither one of Microsoft's nor this machine, whatever it looks like", function()
    for host, is_strange in pairs { ["evil-security.microsoft.com"] = true, ["security.microsoft.com"] = false,
      ["EU.api.security.Microsoft.com:443"] = false, ["[::1]:8443"] = false, ["LOCALHOST"] = false,
      ["127.attacker.example"] = true, ["169.254.169.254"] = true } do
      assert.equal(is_strange and 2 or 0, #remarks { authority = "https://" .. host, base_url = "https://" .. host })
    end
  end)

  it("gets no credential of a client that signs in elsewhere, or is given its tokens", function()
    local function give() return "token", 600 end
    assert.same({}, remarks { authority = "https://login.example", credential = give })
  end)

  it("stands behind what is to be said of the credential, each time", function()
    local credential = require("mde").credential.secret "a-secret-that-is-long-enough"
    function credential.remarks() return { "it ends soon" } end
    local client = assert(clients.new { tenant_id = "corp.example", client_id = "c1000000-0000-4000-8000-0000000000c1",
      credential = credential, base_url = "https://api.example", driver = { send = function() end } })
    for _ = 1, 2 do
      assert.equal(2, #client:remarks())
      assert.equal("it ends soon", client:remarks()[1])
    end
  end)
end)
