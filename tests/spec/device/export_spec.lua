-- The software and the vulnerabilities of all devices.
-- Labels: not-lua5.3
local export = require "mde.device.export"
local rehearsal = require "tests.spec.support.rehearsal"

describe("an export", function()
  local r

  before_each(function()
    r = rehearsal.new { start = 1770113472.5, fleet = { count = 40 },
      roles = { "Software.Read.All", "Vulnerability.Read.All" } }
  end)

  local function keys(name, options)
    local list = {}
    for row in r.client[name](r.client, options) do
      list[#list + 1] = table.concat({ row.deviceId, row.softwareName, tostring(row.cveId) }, " ")
    end
    return list
  end

  for _, name in ipairs { "all_software", "all_vulnerabilities" } do
    it("is the same in one page and in many: " .. name, function()
      local all = keys(name)
      assert.equal(1, #r:requests())
      assert.same(all, keys(name, { page_rows = 7 }))
      assert.equal(1 + math.ceil(#all / 7), #r:requests())
      assert.truthy(#all > 30)
    end)

    it("needs a permission, which the error names: " .. name, function()
      r = rehearsal.new {}
      local ok, err = pcall(keys, name)
      assert.is_false(ok)
      assert.matches("^" .. (name == "all_software" and "Software" or "Vulnerability"), err.permission)
    end)
  end

  it("may begin with a time", function()
    local some = keys("all_software", { since = "2026-02-03T04:00:00Z", page_rows = 5 })
    assert.truthy(#some > 5 and #some < #keys "all_software")
    rehearsal.refused(r.client.all_software, r.client, { since = "yesterday" })
    rehearsal.refused(r.client.all_software, r.client, { page_rows = 200001 })
    rehearsal.refused(r.client.all_software, r.client, { top = 1 })
  end)

  for setting, code in pairs { foreign = "link_elsewhere", looping = "pages_repeat" } do
    it("does not follow a link that is " .. setting, function()
      r.tenant:set { export_links = setting }
      local iterator = r.client:all_software { page_rows = 7 }
      local ok, err
      for _ = 1, 100 do
        ok, err = pcall(iterator)
        if not ok or not err then break end
      end
      assert.is_false(ok)
      assert.equal(code, err.code)
      assert.is_false((pcall(iterator)))
    end)
  end

  it("follows only links to its own host and path, or to the old name of the service", function()
    local function follow(link) return export.follow(link, "api.example", "/machines/X", {}) end
    assert.equal("/machines/X?a=1&$skiptoken=b%2B", follow "https://API.example/api/Machines/X?a=1&$skiptoken=b%2B")
    assert.equal("/machines/X?$skiptoken=b",
      follow "https://api.securitycenter.microsoft.com/api/machines/X?$skiptoken=b")
    for _, link in ipairs { "https://api.example.evil.example/api/machines/X?a", "http://api.example/api/machines/X?a",
        "https://api.example/api/machines/X/../Y?a", "https://api.example@evil.example/api/machines/X?a",
        "https://api.example/api/machines/X", "https://api.example/api/machines/X?a b", "/api/machines/X?a",
        "https://api.example/api/machines/X?a\r\nHost: x", "https://api.example:444/api/machines/X?a" } do
      local path, err = follow(link)
      assert.is_nil(path, link)
      assert.equal("link_elsewhere", err.code)
    end
    assert.is_nil((follow(7)))
  end)
end)
