-- proxy: which URLs name a proxy, what is shown of them, and which variable names it.

local environment = require "tests.spec.support.environment"
local proxies = require "mde.base.proxy"
local rehearsal = require "tests.spec.support.rehearsal"

describe("a proxy", function()
  after_each(environment.restore)

  for url, expected in pairs {
    ["http://proxy.example"] = { "http://proxy.example", "proxy.example", nil, nil },
    ["HTTP://proxy.example:3128/"] = { "http://proxy.example:3128", "proxy.example", 3128, nil },
    ["proxy.example:3128"] = { "http://proxy.example:3128", "proxy.example", 3128, nil },
    ["u:p@proxy.example:3128"] = { "http://proxy.example:3128", "proxy.example", 3128, "u:p" },
    ["http://u@proxy.example"] = { "http://proxy.example", "proxy.example", nil, "u:" },
    ["http://:p@proxy.example"] = { "http://proxy.example", "proxy.example", nil, ":p" },
    ["http://svc-mde:Pa%40Winter2026-secret%2Fx1@127.0.0.1:9"] = { "http://127.0.0.1:9", "127.0.0.1", 9,
      "svc-mde:Pa@Winter2026-secret/x1" },
    ["http://u:%25%3f%23%20:%E2%82%AC@proxy.example:1"] = { "http://proxy.example:1", "proxy.example", 1,
      "u:%?# :\226\130\172" },
    ["http://u:a:b@proxy.example"] = { "http://proxy.example", "proxy.example", nil, "u:a:b" },
    ["http://u:proxy.example@proxy.example"] = { "http://proxy.example", "proxy.example", nil, "u:proxy.example" },
    ["https://u:p@[::1]:3128"] = { "https://[::1]:3128", "::1", 3128, "u:p" },
    ["http://[fe80::1%25eth0]"] = { "http://[fe80::1%25eth0]", "fe80::1%25eth0", nil, nil },
    ["socks5h://u:p!$&'()*+,;=^|@proxy.example:1080"] = { "socks5h://proxy.example:1080", "proxy.example", 1080,
      "u:p!$&'()*+,;=^|" },
    ["socks4a://proxy.example"] = { "socks4a://proxy.example", "proxy.example", nil, nil },
  } do
    it("is named by " .. url, function()
      local proxy = proxies.read(url, "https_proxy")
      assert.same(expected[1], proxy.shown)
      assert.same(expected[2], proxy.host)
      assert.same(expected[3], proxy.port)
      assert.same(expected[4], proxy.user)
      assert.equal("https_proxy", proxy.source)
      local told = proxies.about(proxy)
      assert.same({ proxy.shown, "https_proxy", true }, { told.shown, told.source, told.everywhere })
    end)
  end

  -- Each has "hush" where a part of a password could be taken for something else.
  for _, url in ipairs {
    "http://svc-mde:Pa@hush-secret/x1@127.0.0.1:9", "svc-mde:Pa@hush-secret/x1@127.0.0.1:9",
    "socks5h://svc-mde:Pa@hush@127.0.0.1:9", "http://u:hush/x@proxy.example", "http://u:hush?x@proxy.example",
    "http://u:hush#x@proxy.example", "http://u:hush x@proxy.example", "http://u:hush\tx@proxy.example",
    "http://u:hush%@proxy.example", "http://u:hush%4@proxy.example", "http://u:hush%zz@proxy.example",
    "http://u:%hush%41@proxy.example", "http://u:hush%0a@proxy.example", "http://u:hush%00@proxy.example",
    "http://hush%3Ax:p@proxy.example", "http://u:hush@[::1", "http://u:hush@::1:3128", "http://u:hush@[::1]3128",
    "http://u:hush@", "http://u:hush@:3128", "http://u:hush@proxy.example:0", "http://u:hush@proxy.example:65536",
    "http://u:hush@proxy.example:12x", "http://u:hush@proxy.example/path", "http://u:hush@proxy.example?x",
    "http://u:hush@proxy.example#x", "http://u:hush", "http://u:1/hush", "http://proxy.example:3128/hush",
    "bad://u:hush@proxy.example", "ftp://u:hush@proxy.example", "u:hush://x@proxy.example",
    "http://u:hush\195\164@proxy.example", "http://u:hush@proxy.example\r\n", " http://u:hush@proxy.example",
    "http:/u:hush@proxy.example", "//u:hush@proxy.example", "http://http://u:hush@proxy.example", "http://", "@", "",
    "http://u:proxy.example@hush@proxy.example",
  } do
    it(("is not named by %q, of which nothing is shown"):format(url), function()
      local err = rehearsal.refused(proxies.read, url, "all_proxy")
      assert.equal("proxy_malformed", err.code)
      assert.matches("all_proxy", err.message, 1, true)
      assert.matches("Percent-encode", err.hint, 1, true)
      assert.is_nil(tostring(err):find("hush", 1, true))
      assert.is_true(rehearsal.is_one_line(tostring(err)))
    end)
  end

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
