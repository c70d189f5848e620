-- mde.core.url through the binding; the tables are in tests/core/test_url.c and test_url_settings.c.
-- Labels: sanitized-each-lua
local url = require("mde.core").url

describe("core.url", function()
  it("takes a URL apart", function()
    assert.same({ scheme = "https", user = "u:p", authority = "[::1]:8443", host = "::1", port = 8443, path = "/A",
      query = "b=c", class = "this_machine" }, url.parse "HTTPS://u:p@[::1]:8443/A?b=c")
    assert.same({ scheme = "http", authority = "Host.Example", host = "host.example", port = 80, path = "",
      class = "foreign" }, url.parse "http://Host.Example")
    assert.is_nil(url.parse("x://h").port)
    assert.equal("", url.parse("x://h?").query)
    assert.is_nil(url.parse "nothing")
    assert.is_nil(url.parse "https://h\0")
    assert.equal("Host.Example:1", url.authority "https://u@Host.Example:1/a")
    assert.is_nil(url.authority "https://127.1/")
  end)

  it("judges hosts", function()
    for host, class in pairs { ["a.localhost"] = "this_machine", ["127.0.0.1"] = "this_machine",
      ["169.254.169.254"] = "link_local", ["login.microsoftonline.com"] = "microsoft", ["127.1"] = "foreign",
      ["security.microsoft.com.example"] = "foreign", ["localhost\0"] = "foreign", [""] = "foreign" } do
      assert.equal(class, url.class(host))
    end
    for host, cloud in pairs { ["login.microsoftonline.com"] = "public", ["login.microsoftonline.us"] = "us_government",
      ["login.chinacloudapi.cn"] = "china" } do
      assert.equal(cloud, url.cloud(host))
    end
    assert.is_nil(url.cloud "login.microsoftonline.us\0")
    assert.is_true(url.is_address "::1")
    assert.is_true(url.is_address "192.0.2.1")
    assert.is_false(url.is_address "1.example")
  end)

  it("compares origins", function()
    assert.is_true(url.same_origin("https://h", "HTTPS://H:443/a"))
    assert.is_false(url.same_origin("https://h", "https://h:444"))
    assert.is_false(url.same_origin("nothing", "nothing"))
    assert.is_false(url.same_origin("https://h", "nothing"))
  end)

  it("reads settings", function()
    assert.equal("https://host.example:8443/A", url.https "Host.example:8443/A/")
    assert.equal("https://h/" .. ("a"):rep(2000), (url.https("https://h/" .. ("a"):rep(2000))))
    assert.same({ nil, "insecure" }, { url.https "http://host.example" })
    assert.same({ nil, "malformed" }, { url.https "host" })
    assert.is_true(url.endpoint "http://169.254.169.254/metadata")
    assert.same({ nil, "insecure" }, { url.endpoint "http://host.example" })
    assert.same({ nil, "malformed" }, { url.endpoint "http://127.0.0.1/?a" })
  end)

  it("reads proxies", function()
    assert.same({ shown = "https://[::1]:3128", scheme = "https", host = "::1", authority = "[::1]:3128", port = 3128,
      user = "u:p/x" }, url.proxy "HTTPS://u:p%2Fx@[::1]:3128/")
    assert.same({ shown = "http://proxy", scheme = "http", host = "proxy", authority = "proxy" }, url.proxy "proxy")
    assert.equal(("u"):rep(2000) .. ":", url.proxy("http://" .. ("u"):rep(2000) .. "@proxy").user)
    assert.is_nil(url.proxy "http://u:p/x@proxy")
  end)

  it("says where a request goes, or why it does not", function()
    assert.same({ "Host.example:8443", "Host.example", 8443, "/a?b" }, { url.request "https://Host.example:8443/a?b" })
    assert.same({ "h", "h", 443, "/?b" }, { url.request "https://h?b" })
    assert.same({ "h:", "h", 443, "/" }, { url.request "https://h:" })
    assert.same({ "[::1]", "::1", 80, "/" }, { url.request("http://[::1]", true) })
    assert.same({ nil, "url names no host" }, { url.request "https:///a" })
    assert.same({ nil, "url must begin with http://" }, { url.request("https://h", true) })
  end)

  it("says what may be shown", function()
    assert.equal("https://[redacted]@h/a?[redacted]", url.shown "https://u:p@h/a?b=c")
    assert.equal("https://[redacted]", url.shown "https://u:p\0@h")
    assert.equal("", url.shown "")
    assert.equal(("a"):rep(5000), url.shown(("a"):rep(5000)))
  end)

  it("knows a domain", function()
    assert.is_true(url.is_domain "contoso.onmicrosoft.com")
    for _, text in ipairs { "", "contoso", "contoso.com.", "1.2.3.4", "a.b\0", "a.b/c" } do
      assert.is_false(url.is_domain(text))
    end
  end)

  it("raises for what is no text", function()
    for name, read in pairs(url) do
      assert.has_error(function() read(nil) end, nil, name)
      assert.has_error(function() read {} end, nil, name)
    end
    assert.has_error(function() url.same_origin "https://h" end)
  end)
end)
