-- proxy: which variable or option names a proxy, and what is said of it. Which URLs name one, and what may be shown of
-- them, tests/core/test_url_settings.c has in tables.

local environment = require "tests.spec.support.environment"
local proxies = require "mde.base.proxy"
local rehearsal = require "tests.spec.support.rehearsal"

describe("a proxy", function()
  after_each(environment.restore)

  it("is read with the name by which it was set", function()
    local proxy = proxies.read("HTTP://svc-mde:Pa%40hush@proxy.example:3128/", "https_proxy")
    assert.same({ shown = "http://proxy.example:3128", scheme = "http", host = "proxy.example",
      authority = "proxy.example:3128", port = 3128, user = "svc-mde:Pa@hush", source = "https_proxy" }, proxy)
    local told = proxies.about(proxy)
    assert.same({ proxy.shown, "https_proxy", true }, { told.shown, told.source, told.everywhere })
  end)

  it("of which a part of the password could be taken for the host is refused, and nothing of it is shown", function()
    for _, url in ipairs { "http://svc-mde:Pa@hush-secret/x1@127.0.0.1:9", "http://CORP\\u:hush@proxy.example",
      "http://u:hush", "hush:x", "" } do
      local err = rehearsal.refused(proxies.read, url, "all_proxy")
      assert.equal("proxy_malformed", err.code)
      assert.matches("all_proxy", err.message, 1, true)
      assert.matches("Percent-encode", err.hint, 1, true)
      assert.is_nil(tostring(err):find("hush", 1, true))
      assert.is_true(rehearsal.is_one_line(tostring(err)))
    end
  end)

  it("is the first that the environment names for https", function()
    local names = { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" }
    local variables = { http_proxy = "http://u:p@q@other.example", HTTP_PROXY = "http://other.example",
      https_proxy = "" }
    environment.set(variables)
    assert.is_nil(proxies.of_environment())
    for i = #names, 1, -1 do
      variables[names[i]] = ("http://u:p@proxy-%d.example"):format(i)
      local proxy = proxies.of_environment()
      assert.equal(("http://proxy-%d.example"):format(i), proxy.shown)
      assert.equal(names[i], proxy.source)
    end
    assert.is_nil(proxies.of_option "")
    assert.equal("https_proxy", proxies.of_option(nil).source)
    assert.equal('option "proxy"', proxies.of_option("http://u:p@other.example").source)
  end)

  it("of a variable that another one precedes is not looked at", function()
    environment.set { https_proxy = "http://proxy.example", ALL_PROXY = "socks://127.0.0.1:1080/" }
    assert.equal("http://proxy.example", proxies.of_environment().shown)
  end)

  it("is not used where the environment says so, for some hosts or for all", function()
    for variable, list in pairs { no_proxy = "*", NO_PROXY = "*" } do
      environment.set { https_proxy = "http://u:p@q@proxy.example", [variable] = list }
      assert.is_nil(proxies.of_environment())
    end
    for variable in pairs { no_proxy = true, NO_PROXY = true } do
      environment.set { https_proxy = "http://proxy.example", [variable] = ".corp.example" }
      assert.is_false(proxies.about(proxies.of_environment()).everywhere)
      assert.same({ ".corp.example", variable }, { proxies.exceptions() })
      assert.is_true(proxies.about(proxies.of_environment(), true).everywhere)
    end
    assert.is_nil(proxies.about(nil))
  end)

  it("is told from another one by its password, too", function()
    local function traits(url) return proxies.about(proxies.read(url, "https_proxy")).traits() end
    assert.equal(traits "http://u:p@proxy.example", traits "HTTP://u:%70@proxy.example/")
    assert.not_equal(traits "http://u:p@proxy.example", traits "http://u:q@proxy.example")
    assert.not_equal(traits "http://proxy.example", traits "http://other.example")
  end)

  it("is what a failure that is its own is told of", function()
    local proxy = proxies.read("http://u:hush@proxy.example:3128", "https_proxy")
    assert.equal("no way to api.example; the proxy is http://proxy.example:3128 (https_proxy)",
      proxies.failure(proxy, "proxy", "no way to api.example"))
    assert.equal("the proxy http://proxy.example:3128 refused the user and password in https_proxy: 407",
      proxies.failure(proxy, "proxy_auth", "407"))
    assert.matches("wants a user and password, and HTTPS_PROXY has none", proxies.failure(
      proxies.read("http://proxy.example", "HTTPS_PROXY"), "proxy_auth", "407"), 1, true)
    assert.matches("the proxy's user and password in https_proxy", proxies.hint(proxy, "proxy_auth"), 1, true)
    assert.matches("https_proxy", proxies.hint(nil, "proxy_auth"), 1, true)
    assert.matches("Check the proxy that ALL_PROXY names", proxies.hint({ source = "ALL_PROXY" }, "proxy"), 1, true)
    for _, code in ipairs { "connect", "timeout", "tls" } do assert.is_nil(proxies.hint(proxy, code)) end
    assert.is_nil(proxies.hint(proxy))
  end)
end)
