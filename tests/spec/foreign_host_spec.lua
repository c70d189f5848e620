-- Who else than Microsoft receives the credential or the token of a client.

local clients = require "mde.client"
local environment = require "tests.spec.support.environment"
local rehearsal = require "tests.spec.support.rehearsal"
local foreign_hosts = require "mde.foreign_host"

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

  it("is told by its domain, not by how it begins or ends", function()
    for host, is_strange in pairs { ["api.security.microsoft.com.example"] = true,
      ["evil-security.microsoft.com"] = true, ["security.microsoft.com"] = false,
      ["EU.api.security.Microsoft.com:443"] = false, ["api.securitycenter.windows.com"] = false,
      ["microsoftonline.com.example.net"] = true, ["login.windows.net"] = false, ["any.blob.core.windows.net"] = true,
      ["login.microsoft.com"] = false } do
      for _, scheme in ipairs { "", "https://", "HTTPS://" } do
        assert.equal(is_strange, remarks { base_url = scheme .. host }[1] ~= nil, host)
      end
    end
  end)

  it("is not this machine", function()
    for _, host in ipairs { "localhost:8443", "127.0.0.1", "[::1]:8443", "LOCALHOST" } do
      assert.same({}, remarks { authority = "https://" .. host, base_url = "https://" .. host })
      assert.is_true(foreign_hosts.is_this_machine(host))
    end
    for _, host in ipairs { "localhost.example", "128.0.0.1", "[::2]", "127.attacker.example", "169.254.example" } do
      assert.is_false(foreign_hosts.is_this_machine(host))
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
