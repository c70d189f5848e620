-- https_url: what is the URL of a host, and what is said of anything else.

local https_url = require "mde.base.https_url"
local rehearsal = require "tests.spec.support.rehearsal"

describe("the https URL of a host", function()
  for given, url in pairs {
    ["https://host"] = "https://host", ["https://host/"] = "https://host", ["https://host//"] = "https://host",
    ["HTTPS://Host.example:443/A/b/"] = "https://host.example/A/b", ["https://[::1]:8443"] = "https://[::1]:8443",
    ["host.example"] = "https://host.example", ["Host.example/"] = "https://host.example",
    ["host.example:8443/a"] = "https://host.example:8443/a", ["host:8443"] = "https://host:8443",
    ["localhost"] = "https://localhost", ["LOCALHOST/"] = "https://localhost", ["[::1]:1"] = "https://[::1]:1",
    ["192.0.2.1"] = "https://192.0.2.1",
  } do
    it("may be written " .. given, function() assert.equal(url, https_url.check(given, "X")) end)
  end

  for _, given in ipairs { "", "host", "gcc_high", "host/a.b", "//host.example", "/host.example", "https:host.example",
    "https:/host.example", "http:host.example", "ftp://host.example", "https://", "https://host:", "host.example:0",
    "host.example:65536", "host.example:x", "host.example/?a=b", "host.example#a", "ho st.example", "host.example\n",
    " host.example", "https:// host.example", "https://https://host.example", "user:planted@host.example",
    "planted@host.example", "https://user:planted@host.example", "h\195\182st.example" } do
    it("is not " .. given:gsub("%s", "?"), function()
      local err = rehearsal.refused(https_url.check, given, "X")
      assert.equal("url_malformed", err.code)
      assert.matches("^X is \"", err.message)
      assert.is_nil(tostring(err):find("user:planted", 1, true))
      assert.is_true(rehearsal.is_one_line(tostring(err)))
    end)
  end

  it("does not begin with http://", function()
    for _, given in ipairs { "http://host.example", "HTTP://host", "http://u:planted@host" } do
      local err = rehearsal.refused(https_url.check, given, "X")
      assert.equal("url_insecure", err.code)
      assert.is_nil(tostring(err):find("planted", 1, true))
    end
  end)

  it("has parts", function()
    assert.same({ "host", nil, "" }, { https_url.parts "https://host" })
    assert.same({ "Host.example", "8443", "/a/b" }, { https_url.parts "https://Host.example:8443/a/b" })
    assert.same({ "[::1]", "1", "" }, { https_url.parts "https://[::1]:1" })
  end)
end)
