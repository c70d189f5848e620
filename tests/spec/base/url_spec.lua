-- url: what may be shown of a URL.

local rehearsal = require "tests.spec.support.rehearsal"
local urls = require "mde.base.url"

describe("a URL", function()
  for url, shown in pairs {
    ["https://host.example:8443/a"] = '"https://host.example:8443/a"', ["nothing"] = '"nothing"', [""] = '""',
    ["https://svc-mde:hush@host.example/a"] = '"https://[redacted]@host.example/a"',
    ["https://svc-mde:Pa@hush-secret/x1@host.example:9"] = '"https://[redacted]@host.example:9"',
    ["svc-mde:Pa@hush/x1@host.example:9"] = '"[redacted]@host.example:9"',
    ["https://u:hush x@host.example"] = '"https://[redacted]@host.example"',
    ['https://u:hush"x@host.example'] = '"https://[redacted]@host.example"',
    ["https://u:hush#x?y@host.example"] = '"https://[redacted]@host.example"',
    ["https://host.example/?client_secret=hush"] = '"https://host.example/?client_secret=[redacted]"',
    ["https://u:hush"] = '"https://[redacted]"',
  } do
    it(("is shown without what may be secret in it: %q"):format(url), function()
      assert.equal(shown, urls.shown(url))
      assert.is_true(rehearsal.is_one_line(urls.shown(url .. "\27[2J\n")))
    end)
  end
end)
