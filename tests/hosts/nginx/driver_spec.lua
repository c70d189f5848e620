-- mde.driver.resty inside a real nginx: what every driver for an event loop promises, in each phase that can wait; the
-- driver contract in the two that come before the content is in each half of it.

local nameserver = require "tests.spec.support.server.nameserver"
local nginx = require "tests.spec.support.server.nginx"
local raw_server = require "tests.spec.support.server.raw_server"
local shell = require "tests.spec.support.process.shell"
local tenants = require "tests.spec.support.server.tenant"

-- How many tests tests/hosts/event_loop.lua has here, so that a run which leaves some out does not pass.
local LEAST_TESTS, LEAST_OF_HALF = 211, 107

describe("mde.driver.resty in nginx", function()
  local tenant, names, raw, authorities

  setup(function()
    tenant = tenants.start { limits = false, action_seconds = 0.5 }
    names, raw = nameserver.start(), raw_server.start()
    authorities = raw.directory .. "/both.pem"
    shell.write_file(authorities, shell.read_file(tenant.ca_file) .. shell.read_file(raw.ca_file))
  end)

  teardown(function()
    names.stop()
    tenant.stop()
    raw.stop()
  end)

  local phases = {
    rewrite = { 'rewrite_by_lua_block { require("tests.hosts.nginx.conformance").answer(false, { 1, 2 }) }',
      LEAST_OF_HALF },
    access = { 'access_by_lua_block { require("tests.hosts.nginx.conformance").answer(false, { 2, 2 }) }',
      LEAST_OF_HALF },
    content = { 'content_by_lua_block { require("tests.hosts.nginx.conformance").answer() }', LEAST_TESTS },
    timer = { 'content_by_lua_block { require("tests.hosts.nginx.conformance").answer(true) }', LEAST_TESTS },
  }

  local function environment()
    local all = { MDE_IDENTITY_URL = tenant.identity_url, MDE_RAW_URL = raw.base_url,
      MDE_RAW_DIRECTORY = raw.directory }
    for name, value in pairs(tenant.env) do all[name] = value end
    return all
  end

  for phase, case in pairs(phases) do
    it("does what a driver for an event loop promises in the phase " .. phase, function()
      local server = nginx.start {
        ca_file = authorities, resolver = names.address, environment = environment(),
        locations = "location / { " .. case[1] .. " }",
      }
      finally(server.stop)
      local body, status = server.get("/", 290)
      assert.equal(200, status)
      local passed, failed = (body or ""):match "^(%d+) passed, (%d+) failed"
      assert(failed == "0", body)
      assert.is_true(tonumber(passed) >= case[2], passed)
    end)
  end
end)
