-- Tags: marking a machine, and taking the mark away.
-- Labels: not-lua5.3, caseless

local rehearsal = require "tests.spec.support.rehearsal"

local machine = "1f00000000000000000000000000000000000017"

local roles = { "Machine.Read.All", "Machine.ReadWrite.All", "Machine.RestrictExecution" }

describe("a tag", function()
  local r

  before_each(function() r = rehearsal.new { roles = roles } end)

  local function tags()
    return r.tenant:find_machine(machine).machineTags
  end

  it("is added and removed", function()
    local before = #tags()
    local tagged = assert(r.client:tag("laptop-17", "left for review"))
    assert.equal(machine, tagged.id)
    assert.is_true(tagged:has_tag "left for review")
    assert.equal("left for review", tags()[before + 1])
    assert.is_number(r.client.inventory:record_of(tagged).read_at)
    local untagged = assert(r.client:untag(tagged, "left for review"))
    assert.is_false(untagged:has_tag "left for review")
    assert.equal(before, #tags())
  end)

  it("twice is once", function()
    assert(r.client:tag(machine, "tier0"))
    local before = #tags()
    assert(r.client:tag(machine, "tier0"))
    assert.equal(before, #tags())
    assert(r.client:untag(machine, "tier0"))
    assert(r.client:untag(machine, "tier0"))
    assert.equal(before - 1, #tags())
  end)

  it("is taken away in every spelling that the machine has", function()
    r.tenant:put_machine { id = machine, machineTags = { "tier0", "keep", "TIER0", " tier0 " } }
    local untagged = assert(r.client:untag(machine, "Tier0"))
    assert.is_false(untagged:has_tag "tier0")
    assert.same({ "keep" }, tags())
  end)

  it("that is there in another spelling need not be added", function()
    r.tenant:put_machine { id = machine, machineTags = { "tier0" } }
    assert.is_true(assert(r.client:tag(machine, "TIER0")):has_tag "tier0")
    assert.equal(1, #r:posts())
  end)

  for verb, case in pairs { tag = { {}, "lacks" }, untag = { { "tier0" }, "still has" } } do
    it("is not believed where the answer shows the contrary: " .. verb, function()
      r:answer({ path = "/tags" }, 200, { id = machine, machineTags = case[1] }, { count = false })
      local found, err = r.client[verb](r.client, machine, "tier0")
      assert.is_nil(found)
      assert.equal("protocol", err.kind)
      assert.truthy(tostring(err):find(case[2] .. " the tag", 1, true), tostring(err))
      assert.same({ "tags" }, r:posts())
    end)

    it("is not believed of an answer whose tags cannot be told; the record tells: " .. verb, function()
      for _, fields in ipairs { { machineTags = "tier0" }, { machineTags = { "tier0", 5 } } } do
        r.tenant.faults:clear()
        fields.id = machine
        r:answer({ path = "/machines/" .. machine }, 200, fields, { count = false })
        local found, err = r.client[verb](r.client, { id = machine }, "tier0")
        assert.equal(verb == "tag", found ~= nil)
        assert.equal(verb == "untag" and "unknown" or nil, err and err.kind)
      end
    end)
  end

  it("of a machine table is one request", function()
    assert(r.client:tag({ id = machine:upper() }, "tier0"))
    assert.same({ "POST /api/machines/" .. machine .. "/tags" }, r:requests())
  end)

  it("may be of any characters that show", function()
    for _, text in ipairs { "a'b\"c\\d", "t\195\164g #1 & more", "\240\159\148\146" } do
      assert.is_true(assert(r.client:tag(machine, text)):has_tag(text))
    end
  end)

  for what, text in pairs { ["nothing"] = false, ["a number"] = 17, ["an empty one"] = "", ["white space"] = " \t",
    ["a line feed"] = "a\nb", ["a NUL"] = "a\0b", ["an escape"] = "\27[31m", ["not UTF-8"] = "caf\233",
    ["a surrogate"] = "\237\160\128",
    ["one that turns the line around"] = "a\226\128\174b" } do
    it("refuses " .. what, function()
      for _, verb in ipairs { "tag", "untag" } do
        local err = rehearsal.refused(r.client[verb], r.client, machine, text or nil)
        assert.truthy(tostring(err):find("mde." .. verb, 1, true))
        assert.is_true(rehearsal.is_one_line(tostring(err)))
      end
      assert.same({}, r.tenant.history)
    end)
  end

  it("refuses what can be no device, and unknown options", function()
    rehearsal.refused(r.client.tag, r.client, "192.0.2.1", "tier0")
    rehearsal.refused(r.client.tag, r.client, nil, "tier0")
    rehearsal.refused(r.client.tag, r.client, machine, "tier0", { incident = "INC-1" })
  end)

  it("needs a permission of its own, and says which", function()
    r = rehearsal.new()
    local tagged, err = r.client:tag(machine, "tier0")
    assert.is_nil(tagged)
    assert.equal("permission", err.kind)
    assert.truthy(tostring(err):find("Machine.ReadWrite.All", 1, true))
    assert.truthy(tostring(err):find('^tag "1f0+17"'))
    r:answer({ path = "/tags" }, 403, "")
    assert.truthy(tostring(select(2, r.client:tag(machine, "tier0"))):find("Machine.ReadWrite.All", 1, true))
  end)

  it("on a device that nobody knows is an error", function()
    local tagged, err = r.client:tag("nowhere", "tier0")
    assert.is_nil(tagged)
    assert.equal("not_found", err.kind)
    assert.same({}, r:posts())
  end)

  for _, verb in ipairs { "tag", "untag" } do
    describe("whose answer was lost: " .. verb, function()
      before_each(function()
        if verb == "untag" then r.tenant:put_machine { id = machine, machineTags = { "tier0" } } end
      end)

      it("is looked for, and not sent again", function()
        r:fault { match = { path = "/tags" }, fault = "gone" }
        local found = assert(r.client[verb](r.client, machine, "tier0"))
        assert.equal(verb == "tag", found:has_tag "tier0")
        assert.same({ "tags" }, r:posts())
      end)

      it("is sent once more if it did not take place", function()
        r:fault { match = { path = "/tags" }, fault = "reset" }
        local found = assert(r.client[verb](r.client, machine, "tier0"))
        assert.equal(verb == "tag", found:has_tag "tier0")
        assert.same({ "tags", "tags" }, r:posts())
      end)

      it("and again and again, is unknown, and may be done again", function()
        r:fault { match = { path = "/tags" }, fault = "reset", count = false }
        local found, err = r.client[verb](r.client, machine, "tier0")
        assert.is_nil(found)
        assert.equal("unknown", err.kind)
        assert.truthy(tostring(err):find("twice does no harm", 1, true))
        assert.is_nil(tostring(err):find("find_action", 1, true))
        assert.same({ "tags", "tags" }, r:posts())
      end)
    end)
  end

  it("is not believed of another machine", function()
    r:answer({ path = "/tags" }, 200, { id = ("9"):rep(40) }, { count = false })
    local tagged, err = r.client:tag(machine, "tier0")
    assert.is_nil(tagged)
    assert.equal("unknown", err.kind)
  end)
end)

describe("a tag that protects", function()
  it("does so at once, whatever was read of all machines before", function()
    local function id(number) return ("%040x"):format(number) end
    local machines = {}
    for i = 1, 10 do machines[i] = { id = id(i), computerDnsName = ("desk-%d"):format(i), osPlatform = "Windows11" } end
    local r = rehearsal.new { machines = machines, limits = false, roles = roles,
      client = { cap = false, protect = { tags = { "tier0" } } } }
    -- They are few, so records are renewed by one list.
    assert.is_nil((r.client:machine "nobody"))
    r.driver.sleep(61)
    for i = 1, 5 do assert(r.client:restrict(id(i), "why")) end
    r.driver.sleep(1)
    assert(r.client:tag(id(9), "tier0"))
    -- The record that the tag was read with is gone with its table.
    collectgarbage()
    collectgarbage()
    local action, err = r.client:restrict(id(9), "why")
    assert.is_nil(action)
    assert.equal("tags", err.rule)
  end)
end)
