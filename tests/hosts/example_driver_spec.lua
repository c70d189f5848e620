-- The whole driver in lua/mde/driver/driver.md, as it stands there, held to the driver contract.
-- Labels: not-lua5.3, long

local conformance = require "tests.spec.driver.conformance"
local tenants = require "tests.spec.support.server.tenant"

local MOST_LINES = 35

-- The program in the section "A whole driver".
local function program()
  local file = assert(io.open "lua/mde/driver/driver.md")
  local page = file:read "*a"
  file:close()
  return assert(page:match "\n## A whole driver\n.-\n```lua\n(.-)```\n", "driver.md has no whole driver any more")
end

-- Runs it with the authority named as its reader would name it, in the environment of `curl`.
local function load_driver(ca_file)
  local popen, files = io.popen, {}
  local world = setmetatable({
    io = setmetatable({
      popen = function(command)
        return popen(("CURL_CA_BUNDLE='%s' no_proxy='*'; export CURL_CA_BUNDLE no_proxy; %s"):format(ca_file, command))
      end,
    }, { __index = io }),
    os = setmetatable({
      tmpname = function()
        files[#files + 1] = os.tmpname()
        return files[#files]
      end,
    }, { __index = os }),
  }, { __index = _G })
  local text = program() .. "\nreturn { name = 'curl command', send = send }"
  -- luacheck: globals setfenv loadstring (5.1 has these)
  if setfenv then return setfenv(assert(loadstring(text, "=driver.md")), world)(), files end
  return assert(load(text, "=driver.md", "t", world))(), files
end

describe("the driver in driver.md", function()
  it("is short", function()
    local lines = select(2, program():gsub("\n", "\n"))
    assert(lines <= MOST_LINES, lines .. " lines")
  end)
end)

-- Elsewhere than on 5.4 it is enough that it carries an answer, and says what failed.
if _VERSION == "Lua 5.4" then
  conformance("of driver.md", function(tenant) return load_driver(tenant.ca_file) end, tenants.start,
    { plain = false, lax = true })
end

describe("the driver in driver.md, over TLS,", function()
  local servers = {
    { certificate = "wrong-host", code = "tls_name" }, { certificate = "expired", code = "tls_expired" },
    { certificate = "self-signed", code = "tls_untrusted" }, { certificate = "unknown-ca", code = "tls_untrusted" },
    { tls = "1.1", code = "tls" },
  }

  for _, options in ipairs(servers) do
    it("refuses a server that is not right: " .. (options.certificate or "TLS " .. options.tls), function()
      local tenant = tenants.start { certificate = options.certificate, tls = options.tls }
      finally(tenant.stop)
      local response, message, maybe_sent, code = load_driver(tenant.ca_file).send {
        method = "POST", url = tenant.base_url .. "/api/machines", headers = { Authorization = "Bearer none" },
        body = "{}", timeout = 10, max_bytes = 1000, max_idle = 5,
      }
      assert.is_nil(response)
      assert.is_true(#message > 0)
      assert.is_false(maybe_sent)
      assert.equal(options.code, code)
      assert.equal(0, #tenant.history "request")
    end)
  end

  it("carries an answer", function()
    local tenant = tenants.start()
    finally(tenant.stop)
    local response = assert(load_driver(tenant.ca_file).send { method = "GET", url = tenant.base_url .. "/api/machines",
      headers = { Authorization = "Bearer none" }, timeout = 10, max_bytes = 10000, max_idle = 5 })
    assert.equal(401, response.status)
    assert.equal(1, #tenant.history "request")
  end)

  it("shows nothing of a request to who looks at processes and files", function()
    local tenant, under_way = tenants.start(), os.tmpname()
    finally(function()
      os.remove(under_way)
      tenant.stop()
    end)
    tenant.fault { fault = "stall", count = false }
    local driver, files = load_driver(tenant.ca_file)
    -- Looks from beside, for as long as the request is under way.
    local look = io.popen(("while [ -e %s ]; do ps -eo args; sleep 0.1; done 2>/dev/null"):format(under_way))
    driver.send { method = "POST", url = tenant.base_url .. "/opaque-path", headers = { Authorization = "opaque-word" },
      body = "opaque-body", timeout = 2, max_bytes = 1000, max_idle = 5 }
    os.remove(under_way)
    local seen = look:read "*a"
    look:close()
    assert.truthy(seen:find("curl -q -s -K", 1, true))
    assert.is_nil(seen:find("opaque-", 1, true))
    assert.equal(1, #files)
    assert.is_nil(io.open(files[1]))
  end)
end)
