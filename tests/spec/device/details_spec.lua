-- What the service knows of a device beside its record.
-- Labels: not-lua5.3
local details = require "mde.device.details"
local rehearsal = require "tests.spec.support.rehearsal"

local ID = "1f00000000000000000000000000000000000017"
local roles = { "Machine.Read.All", "User.Read.All", "Software.Read.All", "Vulnerability.Read.All",
  "SecurityRecommendation.Read.All" }

describe("details of a device", function()
  local r

  before_each(function() r = rehearsal.new { roles = roles } end)

  for _, name in ipairs(details.names) do
    it("are its rows: " .. name, function()
      r.tenant:put_details(ID, { [details.kinds[name].path] = { { id = "one" }, { id = "two" } } })
      local rows = assert(r.client[name](r.client, "laptop-17"))
      assert.same({ 2, "one", "two" }, { #rows, rows[1].id, rows[2].id })
      local none, err = r.client[name](r.client, "nobody-9")
      assert.is_nil(none)
      assert.equal("not_found", err.kind)
      assert.matches("^" .. details.kinds[name].what .. " of ", err.asked)
      rehearsal.refused(r.client[name], r.client, nil)
    end)

    it("need a permission, which the error names: " .. name, function()
      r = rehearsal.new {}
      local none, err = r.client[name](r.client, ID)
      assert.is_nil(none)
      assert.equal(details.kinds[name].permission, err.permission)
    end)
  end

  it("cost a malformed row that row", function()
    r:answer({ path = "software" }, 200, '{"value":[7,{"id":"one"},null]}')
    local rows = assert(r.client:software(ID))
    assert.same({ { id = "one" } }, rows)
    r:answer({ path = "logonusers" }, 200, '{"value":{}}', { count = false })
    assert.equal("not_as_asked", select(2, r.client:logon_users(ID)).code)
  end)

  it("are not told in part", function()
    r:answer({ path = "software" }, 200, '{"value":[{"id":"one"}],"@odata.nextLink":"https://elsewhere.example/"}')
    local rows, err = r.client:software(ID)
    assert.is_nil(rows)
    assert.equal("list_cut_short", err.code)
  end)
end)
