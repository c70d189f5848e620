-- Details of machines, exports and device groups over the API.
-- Labels: only-lua5.4
local caller = require "tests.spec.support.caller"
local sim = require "mde.sim"

local refused = caller.refused
local laptop = "1f00000000000000000000000000000000000017"

local roles = { "User.Read.All", "Software.Read.All", "Vulnerability.Read.All", "SecurityRecommendation.Read.All",
  "Score.Read.All" }

describe("the API of details", function()
  local tenant, client

  before_each(function()
    tenant = sim.new { start = 1770113472.5, fleet = { count = 40 }, roles = roles }
    client = caller.new(tenant)
  end)

  local needs = { logonusers = 1, software = 2, vulnerabilities = 3, recommendations = 4, getmissingkbs = 2 }

  for kind, place in pairs(needs) do
    it("tells a machine's " .. kind .. " to who may read them", function()
      tenant:put_details(laptop, { [kind] = { { id = "one" }, { id = "two" } } })
      local response, answer = client:get(("machines/%s/%s"):format(laptop, kind))
      assert.equal(200, response.status, response.body)
      assert.same({ "one", "two" }, { answer.value[1].id, answer.value[2].id })
      refused(404, "ResourceNotFound", client:get(("machines/%s/%s"):format(("0"):rep(40), kind)))
      refused(400, "ODataError", client:get(("machines/%s/%s?$top=1"):format(laptop, kind)))
      local fewer = {}
      for i, role in ipairs(roles) do fewer[#fewer + 1] = i ~= place and role or nil end
      client = caller.new(sim.new { fleet = { count = 40 }, roles = fewer })
      refused(403, "Forbidden", client:get(("machines/%s/%s"):format(laptop, kind)))
    end)
  end

  it("has a limit of its own for vulnerabilities", function()
    for _ = 1, 50 do client:get(("machines/%s/vulnerabilities"):format(laptop)) end
    refused(429, "429", client:get(("machines/%s/vulnerabilities"):format(laptop)))
    assert.equal(200, (client:get(("machines/%s/software"):format(laptop))).status)
  end)

  local function pages_of(path)
    local keys, count = {}, 0
    while path do
      local response, answer = client:get(path)
      assert.equal(200, response.status, response.body)
      count = count + 1
      for _, row in ipairs(answer.value) do
        local key = table.concat({ row.deviceId, row.softwareName, tostring(row.cveId) }, " ")
        assert.is_nil(keys[key])
        keys[key] = true
        keys[#keys + 1] = key
      end
      local link = answer["@odata.nextLink"]
      path = link and assert(link:match "^https://api%.security%.microsoft%.com/api/(.*)$")
    end
    return keys, count
  end

  for _, set in ipairs { "SoftwareInventoryByMachine", "SoftwareVulnerabilitiesByMachine" } do
    it("exports in pages by links: " .. set, function()
      local all, one = pages_of("machines/" .. set)
      local keys, many = pages_of("machines/" .. set .. "?pageSize=20")
      assert.same(all, keys)
      assert.equal(1, one)
      assert.equal(math.ceil(#all / 20), many)
    end)

    it("takes 30 exports a minute: " .. set, function()
      for _ = 1, 30 do client:get("machines/" .. set .. "?pageSize=1") end
      refused(429, "429", client:get("machines/" .. set))
    end)
  end

  it("exports what has reported since a time, page by page too", function()
    local all = pages_of "machines/SoftwareInventoryByMachine"
    local some = pages_of "machines/SoftwareInventoryByMachine?sinceTime=2026-02-03T04:00:00Z&pageSize=5"
    assert.truthy(#some > 5 and #some < #all)
  end)

  it("has no link with $top, and one that leads elsewhere if it is told to", function()
    local _, answer = client:get "machines/SoftwareInventoryByMachine?$top=3"
    assert.same({ 3, nil }, { #answer.value, answer["@odata.nextLink"] })
    tenant:set { export_links = "foreign" }
    _, answer = client:get "machines/SoftwareInventoryByMachine?pageSize=3"
    assert.truthy(answer["@odata.nextLink"]:find("https://elsewhere.example/api/machines/Software", 1, true))
    tenant:set { export_links = "looping" }
    _, answer = client:get "machines/SoftwareInventoryByMachine?pageSize=3"
    local _, again = client:get(answer["@odata.nextLink"]:match "/api/(.*)$")
    assert.same(answer.value, again.value)
  end)

  for _, query in ipairs { "pageSize=0", "pageSize=200001", "pageSize=x", "$skiptoken=abc", "$filter=x+eq+1",
      "sinceTime=yesterday", "sinceTime=2026-02-03", "$skip=3" } do
    it("refuses to export with " .. query, function()
      refused(400, "ODataError", client:get("machines/SoftwareInventoryByMachine?" .. query))
    end)
  end

  it("lists the groups that devices are in", function()
    local response, answer = client:get "exposureScore/ByMachineGroups"
    assert.equal(200, response.status, response.body)
    assert.same({ 0, "UnassignedGroup" }, { answer.value[1].rbacGroupId, answer.value[1].rbacGroupName })
    local names = {}
    for _, row in ipairs(answer.value) do names[row.rbacGroupId] = row.rbacGroupName end
    assert.same({ "Laptops", "Tier 0" }, { names[140], names[143] })
    local _, second = client:get "exposureScore/ByMachineGroups?$top=1&$skip=1"
    assert.same({ answer.value[2] }, second.value)
    refused(400, "ODataError", client:get "exposureScore/ByMachineGroups?$filter=score+gt+1")
  end)
end)
