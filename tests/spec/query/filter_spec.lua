-- Whole queries: what they become in OData, what is refused, and into how many filters a long one is split.
-- Labels: not-lua5.3

local core = require "mde.core"
local errors = require "mde.base.error"
local mde = require "mde"
local odata = require "tests.spec.support.odata"
local rehearsal = require "tests.spec.support.rehearsal"

local refused, case = odata.refused, odata.tests_refusal

describe("a query becomes OData:", function()
  odata.tests {
    { { riskScore = "High", healthStatus = "Active" }, "healthStatus eq 'Active' and riskScore eq 'High'" },
    { { riskScore = { "High", "Medium" }, healthStatus = "Active" },
      "healthStatus eq 'Active' and (riskScore eq 'High' or riskScore eq 'Medium')" },
    { { computerDnsName = " O'Brien.corp.example. ", riskScore = "High" },
      "(computerDnsName eq 'O''Brien.corp.example' or computerDnsName eq 'o''brien.corp.example' or "
        .. "computerDnsName eq 'O''BRIEN.CORP.EXAMPLE') and riskScore eq 'High'" },
    { "riskScore eq 'High' or (", "riskScore eq 'High' or (" },
    { "all", "" },
    { { status = { "Pending", "InProgress" }, machineId = ("a"):rep(40) },
      ("machineId eq '%s' and (status eq 'Pending' or status eq 'InProgress')"):format(("a"):rep(40)), "actions" },
    { { type = "RestrictCodeExecution", requestor = mde.startswith "soc@" },
      "startswith(requestor,'soc@') and type eq 'RestrictCodeExecution'", "actions" },
  }
end)

describe("a query is refused:", function()
  case("a name that is nil", { computerDnsName = nil }, "an empty table", "mde.eq(value)")
  case("an empty table", {}, "an empty table", 'mde.machines "all"')
  case("nil", nil, "not nil", 'mde.machines "all"')
  case("an empty text", "", "an empty text", '"all"')
  case("blanks", " \n", "an empty text")
  case("a number", 7, "not 7", "{ riskScore")
  case("an operator alone", mde.eq "High", "not an operator alone")
  case("a function", print, "not a function", "riskScore")

  case("ALL", "ALL", '"ALL" is no query', 'Did you mean "all"?')
  case("All, with blanks", " All\n", "is no query", 'Did you mean "all"?', "actions")
  case("a value alone", "Active", '"Active" is no condition in OData', '{ healthStatus = "Active" }')
  case("a value alone in another case", "high", '"high" is no condition', '"High" }')
  case("a field alone", "riskscore", '"riskscore" is no condition', "{ riskScore = ... }")
  case("a name alone", "laptop-17.corp.example", "is no condition in OData", '{ riskScore = "High" }')
  case("a value of actions alone", "Pending", '"Pending" is no condition', '{ status = "Pending" }', "actions")
  case("a type alone", "Isolate", '"Isolate" is no condition', '{ type = "Isolate" }', "actions")
  case("any word", "x&$top=1", '"x&$top=1" is no condition', '{ status = "Pending" }', "actions")
  case("OData with the option's name", "$filter=riskScore eq 'High'", "the query is ", "Leave $filter= away")
  case("OData percent-encoded already", "riskScore%20eq%20'High'", "is no condition in OData", '{ riskScore = "High" }')
  case("OData with a NUL", "riskScore eq 'a\0'", "has a control character (byte 0x00)")
  case("OData in another encoding", "computerDnsName eq 'caf\233'", "is not valid UTF-8", "Convert it to UTF-8")

  it("a text that nobody could send", function()
    assert.truthy(refused("version eq '" .. ("a"):rep(8000) .. "'").message:find("too long", 1, true))
    assert.truthy(refused({ computerDnsName = ("a"):rep(8000) }).message:find("too long", 1, true))
  end)

  it("by the module's functions, before anything is sent", function()
    local r = rehearsal.new()
    rehearsal.refused(r.client.machines, r.client, { computerDnsName = nil })
    rehearsal.refused(r.client.machines, r.client)
    rehearsal.refused(r.client.actions, r.client, { riskScore = "High" })
    assert.same({}, r:requests())
  end)
end)

describe("a long list of values", function()
  local function names(count)
    local list = {}
    for i = 1, count do list[i] = ("o'hara-%05d.corp.example"):format(i) end
    return list
  end

  it("is split so that no filter is longer than a URL may be, and nothing is lost", function()
    local list = names(1000)
    local filters = odata.filters({ version = list, riskScore = mde.ge "Low" })
    assert.truthy(#filters > 1)
    local found = {}
    for _, filter in ipairs(filters) do
      assert.truthy(#core.odata.encode(filter) <= 7500)
      assert.truthy(filter:find("riskScore eq 'High')", 1, true))
      for name in filter:gmatch "version eq '([^ ]+)'[ )]" do found[#found + 1] = (name:gsub("''", "'")) end
    end
    assert.same(list, found)
  end)

  it("is not split if it fits", function()
    assert.equal(1, #odata.filters({ version = names(50) }))
    assert.equal(1, #odata.filters({ computerDnsName = names(10) }))
  end)

  it("cannot be split where all of it must hold", function()
    assert.truthy(refused({ version = mde.none_of(names(1000)) }).message:find("too long", 1, true))
  end)

  it("of names or tags is split so that no filter has more than 20 comparisons, and nothing is lost", function()
    for _, spelled in ipairs { { "computerDnsName", "computerDnsName eq '(o[^ ]+)'", names(50) },
      { "machineTags", "machineTags/any%(t: t eq '(o[^ ]+)'%)", mde.any_of { mde.has "o1", mde.has "o2" } } } do
      local filters = odata.filters({ [spelled[1]] = spelled[3], riskScore = "High" })
      local found, most = {}, 0
      for _, filter in ipairs(filters) do
        local _, count = filter:gsub(spelled[1], "")
        most = math.max(most, count)
        for name in filter:gmatch(spelled[2]) do found[#found + 1] = name:gsub("''", "'") end
      end
      assert.truthy(most <= 20)
      assert.equal(#(spelled[3].items or spelled[3]), #found)
    end
  end)

  it("of more names than five filters have is left to the comparison here", function()
    local high = { "riskScore eq 'High'" }
    assert.same(high, odata.filters({ computerDnsName = names(1000), riskScore = "High" }))
    assert.same({ "" }, odata.filters({ computerDnsName = names(51) }))
    assert.equal(5, #odata.filters({ computerDnsName = names(50) }))
  end)

  it("of names that cannot be split is left to the comparison here", function()
    local high = { "riskScore eq 'High'" }
    for _, condition in ipairs { mde.none_of(names(21)), mde.all_of { mde.startswith "o", mde.none_of(names(19)) },
      mde.none_of(names(1000)) } do
      assert.same(high, odata.filters({ computerDnsName = condition, riskScore = "High" }))
    end
    local most = odata.filters({ computerDnsName = mde.none_of(names(20)) })
    assert.truthy(most[1]:find "^not %(computerDnsName eq 'o''hara%-00001")
  end)
end)

describe("what a query costs to get wrong", function()
  it("is one clear error where the service refuses a text", function()
    local r = rehearsal.new()
    for _, filter in ipairs { "riskscore eq 'High'", "lastSeen gt 'yesterday'", "riskScore eq 'High' or (",
      "riskScore eq 'High') or (1 eq 1", "x &$top=1" } do
      local ok, err = pcall(r.client:machines(filter))
      assert.is_false(ok)
      assert.is_true(errors.is(err))
      assert.equal("refused", err.kind)
      assert.equal("ODataError", err.code)
      assert.truthy(tostring(err):find("machines where " .. filter, 1, true), tostring(err))
      assert.truthy(err.hint:find(errors.quote(filter) .. ", or write a table", 1, true), err.hint)
    end
  end)

  it("is one clear error where the service does not take what a table becomes", function()
    local r = rehearsal.new()
    r:answer({ path = "/machines?" }, 400, { error = { code = "ODataError", message = "contains is not supported." } })
    local ok, err = pcall(r.client:machines { version = mde.contains "x" })
    assert.is_false(ok)
    assert.truthy(tostring(err):find("machines where contains(version,'x'): ", 1, true), tostring(err))
    assert.truthy(err.hint:find("test it in Lua", 1, true), err.hint)
  end)

  it("refuses a text with a control character, which no machine has", function()
    for _, text in ipairs { "a\0b", "a\nb", "\27[2J" } do
      assert.truthy(refused({ computerDnsName = text }).message:find("control", 1, true))
    end
  end)
end)
