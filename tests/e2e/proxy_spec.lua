-- The command behind a proxy: a password that the proxy refuses is sent once, and nothing of a password is shown, also
-- where it is not percent-encoded.
-- Labels: only-lua5.4
local commands = require "tests.spec.support.process.command"
local proxies = require "tests.spec.support.server.connect_proxy"

local has, has_not = commands.has, commands.has_not
local scene = commands.scene()
local tenant, command, created = scene.tenant, scene.command, scene.created

describe("mde behind a proxy", function()
  local proxy

  setup(function() proxy = proxies.start() end)
  teardown(function() proxy.stop() end)

  local function tunnels_asked_for()
    return select(2, proxy.seen():gsub("CONNECT ", ""))
  end

  local function run(words, url, variables)
    local environment = { https_proxy = url }
    for name, value in pairs(variables or {}) do environment[name] = value end
    return command.run(words, { environment = environment })
  end

  it("restricts a device through it", function()
    local result = run({ "restrict", "laptop-17", "--comment", "x", "--yes" },
      ("http://proxied:opaque%%2Dword@127.0.0.1:%d"):format(proxy.port))
    assert.equal(0, result.status, result.err)
    assert.equal(1, #created())
  end)

  for what, words in pairs {
    ["for one device"] = { "restrict", "laptop-17", "--comment", "x", "--yes" },
    ["for many"] = { "restrict", "laptop-17", "laptop-18", "vm-2", "--comment", "x", "--yes" },
    ["to look at one"] = { "state", "laptop-17" }, ["in a query"] = { "machines", "--all" },
    ["in doctor"] = { "doctor" },
  } do
    it("sends a wrong password once, and blames it: " .. what, function()
      local before = tunnels_asked_for()
      local result = run(words, ("http://proxied:wrong-word@127.0.0.1:%d"):format(proxy.port), { MDE_LOG = "json" })
      local said = result.out .. result.err
      assert.not_equal(0, result.status)
      assert.equal(before + 1, tunnels_asked_for())
      has(said, ("http://127.0.0.1:%d refused the user and password in https_proxy"):format(proxy.port))
      has(said, "Correct the proxy's user and password in https_proxy")
      has_not(said, "AZURE_AUTHORITY_HOST")
      has_not(said, "wrong-word")
      has_not(said, "proxied:")
      assert.equal(0, #created())
    end)
  end

  for _, name in ipairs { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" } do
    it("shows nothing of a password that is not percent-encoded, and says how to write it: " .. name, function()
      for _, url in ipairs {
        "http://svc-mde:Pa@Winter2026-secret/x1@127.0.0.1:9", "svc-mde:Pa@Winter2026-secret/x1@127.0.0.1:9",
        "socks5h://svc-mde:Pa#Winter2026@127.0.0.1:9", "http://svc-mde:Winter2026?x@[::1]:9",
        "http://svc-mde:50%Winter2026@127.0.0.1:9", "http://svc-mde:Winter2026 x@127.0.0.1:9",
      } do
        for _, words in ipairs { { "state", "laptop-17" }, { "doctor" } } do
          local result = run(words, "", { [name] = url, MDE_LOG = "json" })
          local said = result.out .. result.err
          assert.equal(1, result.status)
          has(said, name .. " is not the URL of a proxy")
          has(said, "@ is %40")
          for _, part in ipairs { "Winter2026", "svc-mde", "x1", "127.0.0.1", "::1" } do has_not(said, part) end
        end
      end
      assert.equal(0, #tenant.history "request")
    end)
  end

  it("shows scheme, host and port of one that is not there", function()
    local result = run({ "state", "laptop-17" }, "http://svc-mde:127.0.0.1-Winter%402026@127.0.0.1:9",
      { MDE_LOG = "json" })
    assert.equal(3, result.status)
    has(result.err, "the proxy is http://127.0.0.1:9 (https_proxy)")
    has(result.err, "Check the proxy that https_proxy names")
    for _, part in ipairs { "svc-mde", "Winter", "2026@" } do has_not(result.err, part) end
  end)

  it("refuses one of a profile by its line", function()
    os.execute("mkdir -p " .. command.directory .. "/mde")
    command.file("mde/config", "[lab]\nproxy = http://svc-mde:Pa@Winter2026-secret/x1@127.0.0.1:9\n")
    local result = run({ "state", "laptop-17", "--profile", "lab" }, "", { XDG_CONFIG_HOME = command.directory,
      MDE_LOG = "json" })
    assert.equal(1, result.status)
    has(result.err, "line 2 of ")
    has(result.err, "proxy has a password, which does not belong into this file")
    has_not(result.err, "Winter2026")
    has_not(result.err, "svc-mde")
  end)
end)
