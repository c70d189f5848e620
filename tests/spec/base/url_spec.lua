-- url: what may be shown of a URL, and what is said of one that is wrong. What is wrong, tests/core/test_url_settings.c
-- has in tables.

local rehearsal = require "tests.spec.support.rehearsal"
local urls = require "mde.base.url"

describe("a URL", function()
  for url, shown in pairs {
    ["https://host.example:8443/a"] = '"https://host.example:8443/a"', [""] = '""',
    ["https://svc-mde:hush@host.example/a"] = '"https://[redacted]@host.example/a"',
    ["https://svc-mde:Pa@hush-secret/x1@host.example:9"] = '"https://[redacted]"',
    ["https://host.example/client_secret=hush"] = '"https://host.example/client_secret=[redacted]"',
  } do
    it(("is shown without what may be secret in it: %q"):format(url), function()
      assert.equal(shown, urls.shown(url))
      assert.is_true(rehearsal.is_one_line(urls.shown(url .. "\27[2J\n")))
    end)
  end
end)

describe("the https URL of a host", function()
  it("has one form", function()
    assert.equal("https://host.example/A", urls.check_https("HTTPS://Host.example:443/A//", "X"))
    assert.equal("https://host.example", urls.check_https("Host.example", "X"))
  end)

  for given, case in pairs {
    ["host"] = { "url_malformed", 'X is "host", which is not the https URL of a host' },
    ["127.1"] = { "url_malformed", 'X is "127.1", which is not the https URL of a host' },
    ["https://user:hush@host.example"] = { "url_malformed",
      'X is "https://[redacted]@host.example", which is not the https URL of a host' },
    ["host.example\27[2J\n"] = { "url_malformed", 'X is "[redacted]", which is not the https URL of a host' },
    ["HTTP://u:hush@host"] = { "url_insecure", 'X is "HTTP://[redacted]@host": only https is spoken' },
  } do
    it(("is not %q"):format(given), function()
      local err = rehearsal.refused(urls.check_https, given, "X")
      assert.same(case, { err.code, err.message })
      assert.matches("^Write https://", err.hint)
    end)
  end
end)
