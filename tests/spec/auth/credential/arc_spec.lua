-- credential.arc: the managed identity of a machine that Azure Arc manages, and the key file that proves who asks.

local arc = require "mde.auth.credential.arc"
local environment = require "tests.spec.support.environment"
local identities = require "tests.spec.support.managed_identity"
local rehearsal = require "tests.spec.support.rehearsal"
local shell = require "tests.spec.support.process.shell"
local token_requests = require "tests.spec.support.token_request"

describe("the managed identity", function()
  local directory

  setup(function() directory = shell.new_directory() end)
  teardown(function() shell.remove(directory) end)
  after_each(environment.restore)

  local function rehearse(source, of_credential, of_tenant)
    of_credential, of_tenant = of_credential or {}, of_tenant or {}
    of_credential.tokens_directory = directory
    of_tenant.arc = of_tenant.arc or {}
    of_tenant.arc.directory = directory
    return (identities.rehearse(source, of_credential, of_tenant))
  end

  for _, case in ipairs { { "outside", "not a .key file directly in" }, { "extension", "not a .key file" },
    { "large", "longer than 4,096 bytes" }, { "missing", "cannot be read" }, { "none", "does not name a key file" } } do
    it("of Azure Arc refuses a key file that is " .. case[1], function()
      local r = rehearse("arc", nil, { arc = { challenge = case[1] } })
      local machine, err = r.client:machine "desk-5"
      assert.is_nil(machine)
      assert.equal("auth", err.kind)
      assert.matches(case[2], err.message, 1, true)
      assert.is_string(err.hint)
      assert.equal(0, r:count "token_issued")
    end)
  end

  it("of Azure Arc refuses a key file below its folder, above it, or with an odd name", function()
    for _, path in ipairs { directory .. "/x/a.key", directory .. "/../a.key", directory .. "/.key", "a.key", "/",
      directory .. "/a b.key", directory .. "//a.key" } do
      local r = rehearse "arc"
      r:fault { fault = "answer", status = 401, headers = { ["WWW-Authenticate"] = 'Basic realm="' .. path .. '"' },
        match = { path = "/metadata/" }, count = false }
      local _, err = r.client:machine "desk-5"
      assert.matches("not a .key file", err.message, 1, true, path)
    end
  end)

  describe("of Azure Arc", function()
    -- An agent that names this key file, and lets in who shows what it holds.
    local function agent(path, key)
      return token_requests.new(function(call)
        if call.headers.Authorization == "Basic " .. key then return { access_token = "a made-up token" } end
        return nil, "no", { status = 401, headers = { ["www-authenticate"] = "Basic realm=" .. path } }
      end)
    end

    local function credential()
      environment.set {}
      return arc.new { tokens_directory = directory .. "/" }
    end

    it("shows the key to nobody but the agent, and keeps it out of what is shown", function()
      local path = directory .. "/one.key"
      shell.write_file(path, "made-up key\n")
      local request = agent(path, "made-up key")
      assert(credential():ask(request))
      assert.equal(2, #request.got)
      assert.same({ Metadata = "true" }, request.got[1].headers)
      assert.equal("http://127.0.0.1:40342/metadata/identity/oauth2/token", request.got[2].url)
      assert.same({ "made-up key" }, request.kept)
    end)

    it("reads no file for an agent that gives a token, or says no, without a proof", function()
      local request = token_requests.new()
      assert(credential():ask(request))
      assert.equal(1, #request.got)
      request = token_requests.new(function() return nil, "no", { status = 400, headers = {} } end)
      assert.same({ nil, "no" }, { credential():ask(request) })
      request = token_requests.new(function() return nil, "absent" end)
      assert.same({ nil, "absent" }, { credential():ask(request) })
      assert.same({}, request.kept)
    end)

    it("is not asked for elsewhere than on this machine and beside it", function()
      environment.set { IDENTITY_ENDPOINT = "http://10.0.0.1/" }
      assert.matches("IDENTITY_ENDPOINT", rehearsal.refused(arc.new, {}).message, 1, true)
    end)

    it("refuses a key file of several lines", function()
      local path = directory .. "/two.key"
      shell.write_file(path, "made-up\nkey\n")
      local request = agent(path, "made-up\nkey")
      local answer, err = credential():ask(request)
      assert.is_nil(answer)
      assert.matches("has more than a line", err.message, 1, true)
      assert.equal(1, #request.got)
    end)
  end)
end)
