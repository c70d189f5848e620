-- The link to what a collection has collected. What the tenant answers here is made up by the test.
local rehearsal = require "tests.spec.support.rehearsal"

local ACTION = "5c1f9a52-0000-4000-8000-000000000001"
local LINK = "https://packages.example/p.zip?sig=a%2Bb"

describe("the link to a package", function()
  local r

  before_each(function() r = rehearsal.new { machines = {} } end)

  -- As often as it is asked.
  local function answered(status, value)
    r.tenant.faults:clear()
    r:answer({ path = "getPackageUri" }, status, value, { count = 9 })
    return r.client:package_link(ACTION)
  end

  it("is what the service says, without the quotation marks that belong to its text", function()
    assert.equal(LINK, answered(200, { value = LINK }))
    assert.equal(LINK, answered(200, { value = '"' .. LINK .. '"' }))
    assert.matches("^GET /api/machineactions/" .. ACTION:gsub("%-", "%%-") .. "/getPackageUri$", r:requests()[1])
  end)

  it("is one of https, or none", function()
    for _, value in ipairs { "http://packages.example/p.zip", "", "p.zip", 17 } do
      local link, err = answered(200, { value = value })
      assert.is_nil(link)
      assert.equal("protocol", err.kind)
    end
  end)

  it("is not there before the collection has ended, nor of another action", function()
    local _, err = answered(404, { error = { code = "ResourceNotFound", message = "not there" } })
    assert.equal("not_found", err.kind)
    assert.matches("action:wait", err.hint)
    _, err = answered(400, { error = { code = "InvalidInput", message = "another type" } })
    assert.matches("Only a collection", err.hint)
    assert.matches("package of action", tostring(err))
  end)

  it("may be asked for twice in a minute", function()
    for _ = 1, 3 do
      r:answer({ path = "getPackageUri" }, 200, { value = LINK })
      assert(r.client:package_link(ACTION))
    end
    assert.is_true(r.driver.now() >= 60, r.driver.now())
  end)

  it("is asked for with an action or its id", function()
    assert.equal("not_an_action", rehearsal.refused(r.client.package_link, r.client, "p.zip").code)
  end)
end)
