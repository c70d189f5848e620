-- One request finds out whether the proxy takes its password, however many there are: those of a client whose token
-- does not go through the proxy, say. What a refusal is kept for, request_spec.lua shows.

local passwords = require "mde.request.proxy_password"
local rehearsal = require "tests.spec.support.rehearsal"

describe("a proxy with a password", function()
  local r, sent, at_once, most, answer

  local function begin(proxy, options)
    sent, at_once, most = 0, 0, 0
    options = options or {}
    options.client = { credential = function() return "a-token-of-its-own", 3600 end, cap = false,
      protect = { servers = false, device_values = {} } }
    r = rehearsal.new(options)
    r.driver.proxy = proxy
    local sleep = r.driver.sleep
    function r.driver.send()
      sent, at_once = sent + 1, at_once + 1
      most = math.max(most, at_once)
      sleep(1)
      at_once = at_once - 1
      return answer()
    end
  end

  local function refused() return nil, "it answered 407", false, "proxy_auth" end
  local function found() return { status = 404, headers = {}, body = "{}" } end

  local PROXY = { shown = "http://p", source = "https_proxy", everywhere = true, has_password = true,
    traits = function() return "x" end }

  local function actions(seconds)
    local list = {}
    for i = 1, 30 do list[i] = ("%08d-0000-4000-8000-000000000000"):format(i) end
    return r.client:each(list, function(one) return r.client:action(one, { timeout = seconds }) end, { parallel = 8 })
  end

  it("is sent a wrong one once, by many at once, too", function()
    for _, options in ipairs { {}, { sequential = true } } do
      begin(PROXY, options)
      answer = refused
      local results = actions(30)
      assert.equal(1, sent)
      assert.equal("proxy_auth", results[1].err.code)
      assert.is_true(results.stopped)
    end
  end)

  it("is sent one again after a minute, once", function()
    begin(PROXY)
    answer = refused
    actions(30)
    r.driver.sleep(60)
    actions(30)
    assert.equal(2, sent)
  end)

  it("has them go together once it was not refused", function()
    begin(PROXY)
    answer = found
    assert.equal("no_such_resource", actions(30)[30].err.code)
    assert.equal(8, most)
    assert.equal(30, sent)
  end)

  it("holds nobody up for longer than he has", function()
    begin(PROXY)
    answer = function()
      r.driver.sleep(20)
      return found()
    end
    local results = actions(5)
    assert.equal("unavailable", results[8].err.kind)
    assert.matches("the proxy did not answer another request in time", results[8].err.message, 1, true)
  end)

  it("is no matter to what goes past the proxy", function()
    local time = 1000
    local password = passwords.new({ proxy = PROXY }, { now = function() return time end })
    local function ask(plain) return password:ask("a.example", { plain = plain, timeout = 5 }) end
    password:heard("b.example", {}, "proxy_auth", "it was refused")
    assert.equal("proxy_auth", select(2, ask(nil)))
    assert.is_nil(ask(true))
    password:heard("a.example", { plain = true })
    assert.equal("proxy_auth", select(2, ask(nil)))
  end)

  it("is one for each host where some are reached without the proxy", function()
    local password = passwords.new({ proxy = { has_password = true } }, { now = function() return 1000 end })
    local function ask(host) return select(2, password:ask(host, { timeout = 5 })) end
    password:heard("b.example", {}, "proxy_auth", "it was refused")
    assert.equal("proxy_auth", ask "b.example")
    assert.is_nil(ask "a.example")
  end)

  it("is not asked again for a minute after a refusal, whatever came before and after it", function()
    local time = 1000
    local password = passwords.new({}, { now = function() return time end })
    local function ask() return select(2, password:ask("a.example", { timeout = 5 })) end
    password:heard("a.example", {})
    assert.is_nil(ask())
    password:heard("a.example", {}, "proxy_auth", "it was refused")
    password:heard("a.example", {})
    time = 1059
    assert.equal("proxy_auth", ask())
    time = 1060
    assert.is_nil(ask())
  end)

  it("is no matter where there is none", function()
    for _, proxy in ipairs { { shown = "http://p", source = "https_proxy", everywhere = true, has_password = false,
      traits = PROXY.traits }, false } do
      begin(proxy or nil)
      answer = found
      actions(30)
      assert.equal(8, most)
    end
  end)
end)
