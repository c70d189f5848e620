-- A device by several identifiers, as a line of a list gives it: all of them must mean one machine.

local identities = require "mde.device.identity"
local mde = require "mde"
local rehearsal = require "tests.spec.support.rehearsal"

local LAPTOP, DESK = ("a"):rep(40), ("b"):rep(40)
local LAPTOP_ENTRA, DESK_ENTRA = "aaaaaaaa-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000001"
local BOTH = "DeviceId,DeviceName\n"

local function read(text)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  local list, err = mde.read_list(path)
  os.remove(path)
  return list, err
end

local function has(text, part) assert.truthy(text:find(part, 1, true), text) end

describe("a device with several identifiers", function()
  local r

  before_each(function()
    local roles = { "Machine.Read.All", "Machine.ReadWrite.All", "Machine.RestrictExecution" }
    r = rehearsal.new { unguarded = true, roles = roles, machines = {
      { id = LAPTOP, computerDnsName = "laptop-17.corp.example", aadDeviceId = LAPTOP_ENTRA },
      { id = DESK, computerDnsName = "desk-5", aadDeviceId = DESK_ENTRA },
    } }
  end)

  local function device(text) return assert(read(text))[1] end

  it("is the same by its words where each of them is, without regard to case and in their order", function()
    local normal = require("mde.core").name.normal
    local one = normal(identities.new { LAPTOP, "Laptop-17." })
    assert.equal(one, normal(identities.new { LAPTOP:upper(), " laptop-17" }))
    for _, other in ipairs { "laptop-17", LAPTOP, identities.new { "laptop-17", LAPTOP },
      identities.new { LAPTOP, "laptop-1" }, identities.new { LAPTOP .. "laptop-17", "" } } do
      assert.not_equal(one, normal(other))
    end
  end)

  local agreeing = {
    ["an id and a name"] = BOTH .. LAPTOP .. ",laptop-17.corp.example",
    ["an id and a bare name"] = BOTH .. LAPTOP:upper() .. ",LAPTOP-17",
    ["an Entra id and a name"] = "displayName,deviceId\nlaptop-17," .. LAPTOP_ENTRA:upper(),
    ["all three"] = ("fqdn,id,AadDeviceId\nLaptop-17.Corp.example.,%s,%s"):format(LAPTOP, LAPTOP_ENTRA),
  }
  local differing = {
    ["an id and another's name"] = BOTH .. LAPTOP .. ",desk-5",
    ["an Entra id and another's name"] = "displayName,deviceId\ndesk-5," .. LAPTOP_ENTRA,
    ["an id and another's Entra id"] = ("id,AadDeviceId\n%s,%s"):format(LAPTOP, DESK_ENTRA),
    ["a full name of a machine that has a bare one"] = BOTH .. DESK .. ",desk-5.corp.example",
    ["the beginning of a name"] = BOTH .. LAPTOP .. ",laptop",
  }

  for what, text in pairs(agreeing) do
    it(("is what all of them mean: %s"):format(what), function()
      assert.equal(LAPTOP, assert(r.client:machine(device(text))).id)
      assert.equal("none", (assert(r.client:state(device(text)))))
      assert.equal("accepted", assert(r.client:restrict(device(text), "why")).outcome)
      assert.equal("accepted", assert(r.client:release(device(text), "why")).outcome)
      assert.equal(LAPTOP, assert(r.client:tag(device(text), "seen")).id)
      assert.same({ "restrictCodeExecution", "cancel", "unrestrictCodeExecution", "tags" }, r:posts())
    end)
  end

  for what, text in pairs(differing) do
    it(("is none where they differ: %s"):format(what), function()
      for _, call in ipairs { { "machine" }, { "state" }, { "restrict", "why" }, { "release", "why" }, { "tag", "x" },
        { "restrict", "why", { look = false } }, { "restrict", "why", { key = "alert-4711" } } } do
        local one = device(text)
        local value, err = r.client[call[1]](r.client, one, call[2], call[3])
        assert.is_nil(value)
        assert.equal("ambiguous", err.kind)
        has(tostring(err), ('"%s" and "%s" are not the same device'):format(one[1], one[2]))
        assert.is_true(rehearsal.is_one_line(tostring(err)))
      end
      assert.equal("ambiguous", r.client:states({ device(text) })[1].err.kind)
      assert.same({}, r:posts())
    end)
  end

  it("is never acted on unread", function()
    r:fault { match = { path = "/machines/" .. LAPTOP }, fault = "answer", status = 500, body = "", count = false }
    for _, options in ipairs { {}, { look = false } } do
      local action, err = r.client:restrict(device(agreeing["an id and a name"]), "why", options)
      assert.is_nil(action)
      assert.equal("unavailable", err.kind)
    end
    assert.same({}, r:posts())
  end)

  it("is not what a record says that lacks the name", function()
    r.tenant:find_machine(LAPTOP).computerDnsName = nil
    local machine, err = r.client:machine(device(agreeing["an id and a name"]))
    assert.is_nil(machine)
    assert.equal("ambiguous", err.kind)
    has(tostring(err), "has no name and the Entra device id " .. LAPTOP_ENTRA)
  end)

  it("goes through mde.each with the others", function()
    local list = assert(read(("%s%s,laptop-17\n%s,laptop-17\n,desk-5\n"):format(BOTH, LAPTOP, DESK)))
    local results = r.client:each(list, function(one) return r.client:restrict(one, "why") end)
    assert.equal(1, results.failed)
    assert.equal("ambiguous", results[2].err.kind)
    assert.same({ "restrictCodeExecution", "restrictCodeExecution" }, r:posts())
    assert.equal(0, #r.client:each(assert(read "fqdn,x\n"), function() return true end))
  end)
end)

describe("an identity", function()
  local laptop = { id = LAPTOP, computerDnsName = "laptop-17.corp.example", aadDeviceId = LAPTOP_ENTRA }

  it("is known from any other list of texts, and keeps its own", function()
    local identifiers = { LAPTOP, "laptop-17" }
    local identity = identities.new(identifiers)
    identifiers[2] = "desk-5"
    assert.same({ LAPTOP, "laptop-17" }, { identity[1], identity[2] })
    assert.is_true(identities.is(identity))
    for _, value in ipairs { identifiers, "laptop-17", 17, laptop } do assert.is_false(identities.is(value)) end
  end)

  it("is shown with all that it says, on one line", function()
    assert.equal("desk (x\\x1b, y)", tostring(identities.new { "desk", "x\27", "y" }))
  end)

  for what, others in pairs {
    ["the same id in capitals"] = { LAPTOP:upper() }, ["its Entra id"] = { LAPTOP_ENTRA:upper() },
    ["its name with a dot at the end"] = { "Laptop-17.corp.example." }, ["its host name"] = { "LAPTOP-17" },
    ["all of them"] = { LAPTOP_ENTRA, "laptop-17", LAPTOP }, ["nothing else"] = {},
  } do
    it("is the machine that has " .. what, function()
      assert.equal(laptop, identities.check(identities.new { LAPTOP, others[1], others[2], others[3] }, laptop))
    end)
  end

  it("is nothing where any of them, the last one too, is another's; and says what the machine has", function()
    local identity = identities.new { LAPTOP, "laptop-17", DESK_ENTRA }
    local machine, err = identities.check(identity, laptop)
    assert.is_nil(machine)
    assert.equal("ambiguous", err.kind)
    assert.same({ laptop }, err.candidates)
    has(err.message, ('"%s" and "%s" are not the same device'):format(LAPTOP, DESK_ENTRA))
    has(err.message, ('the first is machine %s, which has the name "laptop-17.corp.example" and the Entra device id %s')
      :format(LAPTOP, LAPTOP_ENTRA))
  end)

  it("is nothing where the record does not say the name or the Entra id, or says them in no text", function()
    for _, machine in ipairs { { id = LAPTOP }, { id = LAPTOP, computerDnsName = 17, aadDeviceId = {} } } do
      for _, other in ipairs { "laptop-17", LAPTOP_ENTRA } do
        local found, err = identities.check(identities.new { LAPTOP, other }, machine)
        assert.is_nil(found)
        assert.equal("ambiguous", err.kind)
        assert.is_true(rehearsal.is_one_line(tostring(err)))
      end
    end
  end)
end)
